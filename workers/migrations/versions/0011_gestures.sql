-- What customers do beside writing, and what their channels tell of them ----------------------------------------

ALTER TABLE customer
    ADD COLUMN suggested_phone text,                  -- in what he wrote; none once it is taken over
    ADD COLUMN picture         text,                  -- its address on the channel
    ADD COLUMN follows         boolean,               -- the account, as the channel last told
    ADD COLUMN referral        jsonb;                 -- what brought him last

-- Edits and reactions, as they are now. By the channel's id of the message: a reaction may come before delivery
-- has heard which id an answer got.
CREATE TABLE message_mark (
    workspace_id       text NOT NULL,
    conversation_id    uuid NOT NULL,
    channel_message_id text NOT NULL,
    mark               text NOT NULL CHECK (mark IN ('edit', 'customer_reaction', 'page_reaction')),
    value              text,                          -- the text, or the sign; none: taken back
    number             int  NOT NULL,                 -- of the edit
    marked_at          timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, channel_message_id, mark)
) WITH (fillfactor = 80);
