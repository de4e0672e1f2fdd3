-- For how long channels take answers, and what they tell before our own record is written -------------------------------

-- When the customer last did what his channel counts as writing, but is not in last_at: followed the account, filled in
-- a form, wrote while he was kept out. And when he last came by an advertisement, after which some wait for longer.
ALTER TABLE conversation ADD COLUMN interacted_at timestamptz, ADD COLUMN ad_at timestamptz;

-- resent: the part that is next was given to the channel once more, as no answer and no echo came.
-- heard: what the channel told of the conversation while the message was on its way, the last few; applied once it is sent.
ALTER TABLE delivery ADD COLUMN resent boolean NOT NULL DEFAULT false, ADD COLUMN heard jsonb[] NOT NULL DEFAULT '{}';
