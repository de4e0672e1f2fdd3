-- Intake: what agents do ---------------------------------------------------------------------------------------

ALTER TABLE customer
    ADD COLUMN name     text,                         -- in our system; channel_name stays the channel's
    ADD COLUMN phone    text,
    ADD COLUMN email    text,
    ADD COLUMN birthday date,
    ADD COLUMN gender   text CHECK (gender IN ('female', 'male', 'other')),
    ADD COLUMN address  text,
    ADD COLUMN tags     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN groups   text[] NOT NULL DEFAULT '{}';
-- Partial, so that new customers cost nothing here: a filter says `tags @> ARRAY[…] AND tags <> '{}'`.
CREATE INDEX customer_tags ON customer USING gin (tags) WHERE tags <> '{}';
CREATE INDEX customer_groups ON customer USING gin (groups) WHERE groups <> '{}';

ALTER TABLE conversation
    ADD COLUMN answered_at timestamptz,               -- when the page's side last wrote
    ADD COLUMN touched_at  timestamptz,               -- when the desk was last told that somebody writes
    ADD COLUMN silence_at  timestamptz,               -- when the session may count as silent; none: not armed
    ADD COLUMN silent      boolean NOT NULL DEFAULT false,  -- and the desk was told
    ADD COLUMN blocked     boolean NOT NULL DEFAULT false,  -- its customer is kept out
    ADD COLUMN offer_rule  text,                      -- the rule that last offered it
    ADD COLUMN replies     int NOT NULL DEFAULT 0;    -- rows of held_reply
CREATE INDEX conversation_silence ON conversation (lane, silence_at) WHERE silence_at IS NOT NULL;

-- Answers that want to be a claim, and those behind them, until the desk has decided.
CREATE TABLE held_reply (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    message_id      uuid NOT NULL,
    number          int  NOT NULL,                    -- in the order in which they were written
    claim           text NOT NULL,                    -- the idempotency key of the command that was sent for it
    action          jsonb NOT NULL,                   -- as it came
    quoted          text,                             -- the channel's id of the message that it answers
    PRIMARY KEY (workspace_id, conversation_id, message_id)
);

-- One outcome per idempotency key, kept for a day. Keys belong to their actor, whatever the lane.
CREATE TABLE intake_outcome (
    workspace_id    text  NOT NULL,
    actor           text  NOT NULL,
    idempotency_key text  NOT NULL,
    request_sha256  bytea NOT NULL,
    outcome         jsonb,                            -- none: the desk has not decided yet
    decided_at      timestamptz NOT NULL,             -- or asked, while there is none
    PRIMARY KEY (workspace_id, actor, idempotency_key)
);
CREATE INDEX intake_outcome_age ON intake_outcome (decided_at) WHERE outcome IS NOT NULL;
