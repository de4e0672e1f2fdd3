-- Delivery: agents' answers on their way to the channels --------------------------------------------------------

-- How each message stands. A message is given to its channel in parts, one after another: `ids` are the channel's
-- ids of those that it has taken. Before a part is given, `sending` and `attempted_at` are written.
CREATE TABLE delivery (
    workspace_id    text  NOT NULL,
    message_id      uuid  NOT NULL,
    desk_id         text  NOT NULL,
    lane            int   NOT NULL,
    conversation_id uuid  NOT NULL,
    key             text  NOT NULL,               -- channel:account:user
    page_id         text  NOT NULL,
    position        int   NOT NULL,
    sender          text  NOT NULL,
    content         jsonb,                        -- text, attachments, reply_to; none: all was taken, or nothing is tried
    parts           int   NOT NULL,
    last_customer_at timestamptz,
    state           text  NOT NULL
        CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown')),
    reason          text,
    due_at          timestamptz,                  -- queued: not before; unknown: the echo's timer
    attempts        int   NOT NULL DEFAULT 0,     -- numbers them: who comes back late finds another number
    failures        int   NOT NULL DEFAULT 0,     -- in a row
    attempted_at    timestamptz,
    ids             text[] NOT NULL DEFAULT '{}',
    version         int   NOT NULL DEFAULT 0,
    told            boolean NOT NULL DEFAULT true, -- on receipts
    changed_at      timestamptz NOT NULL,
    open            boolean NOT NULL GENERATED ALWAYS AS
        (state IN ('queued', 'sending') OR (state = 'unknown' AND due_at IS NOT NULL)) STORED,
    PRIMARY KEY (workspace_id, message_id)
) WITH (fillfactor = 70);
-- In the order of a conversation; it comes first, so that no plan takes this for finding one message.
CREATE INDEX delivery_of_conversation ON delivery (conversation_id, position);
CREATE INDEX delivery_due ON delivery (page_id, due_at) WHERE state = 'queued';
CREATE INDEX delivery_sending ON delivery (attempted_at) WHERE state = 'sending';
CREATE INDEX delivery_unknown ON delivery (lane, due_at) WHERE state = 'unknown' AND due_at IS NOT NULL;
CREATE INDEX delivery_untold ON delivery (lane, changed_at) WHERE NOT told;

-- A page as the channel's API knows it: its token, how it is to be used, and whether it may be used now.
-- The tokens are encrypted with TONGDAI_DELIVERY_KEY.
CREATE TABLE delivery_page (
    page_id        text NOT NULL PRIMARY KEY,
    workspace_id   text NOT NULL,
    app            text,                          -- Messenger: its name in the settings; Zalo: its id
    access_token   bytea,
    refresh_token  bytea,                         -- Zalo's, good for one use
    token_version  int  NOT NULL DEFAULT 0,       -- the fence: who has refreshed another version is too late
    token_at       timestamptz,                   -- since when it has this token
    token_ends_at  timestamptz,
    refresh_at     timestamptz,                   -- well before that; none: it cannot be exchanged
    refreshing_until timestamptz,                 -- somebody refreshes it until then
    refresh_failures int NOT NULL DEFAULT 0,
    too_long       text NOT NULL DEFAULT 'split' CHECK (too_long IN ('split', 'refuse')),
    human_agent    boolean NOT NULL DEFAULT false, -- Messenger has allowed the tag HUMAN_AGENT
    pays           boolean NOT NULL DEFAULT false, -- Zalo may charge for an answer
    paused         text,                          -- why nothing is sent
    paused_at      timestamptz,
    resume_at      timestamptz,                   -- when sending is tried again
    failures       int  NOT NULL DEFAULT 0,       -- in a row, of the channel
    tokens         double precision,              -- of its rate, as counted at `counted_at`; none: full
    counted_at     timestamptz
) WITH (fillfactor = 50);
CREATE INDEX delivery_page_refresh ON delivery_page (refresh_at) WHERE refresh_at IS NOT NULL;

-- What all pages of one app share.
CREATE TABLE delivery_app (
    app         text NOT NULL PRIMARY KEY,        -- channel:app
    tokens      double precision,
    counted_at  timestamptz,
    resume_at   timestamptz
) WITH (fillfactor = 50);
