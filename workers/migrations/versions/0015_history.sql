-- Intake: older messages, and who customers are -------------------------------------------------------------------

-- Fetched from the channel afterwards: shown by `sent_at`, before what is no history.
ALTER TABLE message ADD COLUMN history boolean NOT NULL DEFAULT false;
CREATE INDEX message_history ON message (conversation_id, workspace_id, sent_at, position) WHERE history;

ALTER TABLE customer ADD COLUMN verified_phone text; -- a number that the channel vouches for, as 0912345678
CREATE INDEX customer_verified ON customer (verified_phone, workspace_id) WHERE verified_phone IS NOT NULL;

ALTER TABLE conversation ADD COLUMN away boolean NOT NULL DEFAULT false; -- the customer has left, as his channel told

-- Delivery: what is read from the channels' APIs ------------------------------------------------------------------

ALTER TABLE delivery_page ADD COLUMN read_at timestamptz; -- when its API may be read next, as its rate allows

-- Who a customer is (`profile`), or what was said before (`history`) with him, or with all customers of a page.
-- A profile's row stays when it is done, so that the channel is not asked again too soon.
CREATE TABLE delivery_errand (
    workspace_id text  NOT NULL,
    page_id      text  NOT NULL,
    user_id      text  NOT NULL,                  -- on the channel; empty: everybody
    what         text  NOT NULL CHECK (what IN ('profile', 'history')),
    state        text  NOT NULL CHECK (state IN ('waiting', 'done', 'failed', 'stopped')),
    reason       text,                            -- why it waits longer, or has failed
    place        jsonb NOT NULL DEFAULT '{}',     -- how far it has come
    found        int   NOT NULL DEFAULT 0,        -- messages that were read
    failures     int   NOT NULL DEFAULT 0,        -- in a row
    attempt      int   NOT NULL DEFAULT 0,        -- numbers them: who comes back late finds another number
    due_at       timestamptz NOT NULL,            -- waiting: not before
    asked_by     text,
    asked_at     timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, page_id, user_id, what)
) WITH (fillfactor = 70);
CREATE INDEX delivery_errand_due ON delivery_errand (page_id, what, due_at) WHERE state = 'waiting';
