-- The lane protocol ------------------------------------------------------------------------------------------

-- What has been processed of a lane, and by whom. `owner` is the term that may change it; none after a release.
CREATE TABLE lane (
    kind         text   NOT NULL,                 -- intake, desk, notifier
    id           int    NOT NULL,                 -- the partition number
    batch_no     bigint NOT NULL DEFAULT 0,
    next_offsets jsonb  NOT NULL DEFAULT '{}',    -- by topic
    at_ms        bigint NOT NULL DEFAULT 0,       -- the lane's clock: never goes back
    owner        text,
    stopped      text,                            -- why it must not run until `tongdai recover`
    PRIMARY KEY (kind, id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Batches that are stored and perhaps not yet published.
CREATE TABLE pending (
    kind         text   NOT NULL,
    lane         int    NOT NULL,
    batch_no     bigint NOT NULL,
    next_offsets jsonb  NOT NULL,
    events       bytea  NOT NULL,
    PRIMARY KEY (kind, lane, batch_no)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000);
ALTER TABLE pending ALTER COLUMN events SET STORAGE EXTERNAL;  -- short-lived: compressing costs more than writing

-- After Postgres was restored to an earlier time: events that readers already have and that the lane will derive
-- again. `tongdai recover` writes them; they are not published a second time.
CREATE TABLE published_ahead (
    kind  text NOT NULL,
    lane  int  NOT NULL,
    event text NOT NULL,                          -- its identity, see workers/runtime/identity.py
    PRIMARY KEY (kind, lane, event)
);

-- The registry: who owns a page or an agent. Reserved by `apply` before the command goes out -----------------

CREATE TABLE page_registry (
    page_id      text NOT NULL PRIMARY KEY,       -- channel:account
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    reserved_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE agent_registry (
    workspace_id text NOT NULL,
    agent_id     text NOT NULL,
    desk_id      text NOT NULL,
    reserved_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, agent_id)
);

-- Intake: transcripts, customers, sessions -------------------------------------------------------------------

CREATE TABLE customer (
    workspace_id text NOT NULL,
    customer_id  uuid NOT NULL,                   -- also the conversation's id: a customer is a person on one page
    page_id      text NOT NULL,
    user_id      text NOT NULL,
    channel_name text,                            -- the name on the channel
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, customer_id)
);

CREATE TABLE conversation (
    workspace_id     text   NOT NULL,
    conversation_id  uuid   NOT NULL,
    desk_id          text   NOT NULL,
    lane             int    NOT NULL,
    key              text   NOT NULL,             -- channel:account:user
    page_id          text   NOT NULL,
    position         int    NOT NULL,             -- of the transcript's last line
    seq              int    NOT NULL,             -- the last assignment event applied
    epoch            int    NOT NULL,
    standing         text   NOT NULL CHECK (standing IN ('idle', 'held', 'offered', 'queued')),
    holder           text,
    route_unanswered boolean NOT NULL,            -- the desk was asked and has not answered yet
    session          int    NOT NULL,             -- the number of the last session
    session_open     boolean NOT NULL,
    session_customer_messages int NOT NULL,
    session_agent_messages    int NOT NULL,
    last_at          timestamptz NOT NULL,        -- of the customer's last message
    timer_at         timestamptz,                 -- when the session's silence timer falls due; none: not armed
    PRIMARY KEY (workspace_id, conversation_id)
) WITH (fillfactor = 70);
CREATE INDEX conversation_timer ON conversation (lane, timer_at) WHERE timer_at IS NOT NULL;

CREATE TABLE session (
    workspace_id     text NOT NULL,
    conversation_id  uuid NOT NULL,
    session          int  NOT NULL,
    opened_at        timestamptz NOT NULL,
    first_position   int  NOT NULL,
    ended_at         timestamptz,
    ended_by         text,
    PRIMARY KEY (workspace_id, conversation_id, session)
);

-- Each message of a channel once: the id is UUIDv5 of page and channel message id.
CREATE TABLE message_seen (
    workspace_id    text NOT NULL,
    message_id      uuid NOT NULL,
    conversation_id uuid NOT NULL,
    position        int  NOT NULL,
    stored_at       timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, message_id)
);
CREATE INDEX message_seen_age ON message_seen USING brin (stored_at);

CREATE TABLE message (
    workspace_id       text NOT NULL,
    conversation_id    uuid NOT NULL,
    position           int  NOT NULL,
    message_id         uuid NOT NULL,
    session            int  NOT NULL,
    sender             text NOT NULL,             -- customer, agent, bot, system
    sender_id          text,
    kind               text NOT NULL,             -- text, attachment, postback, log
    body               text,
    attachments        jsonb,
    code               text,                      -- of a log line; worded for its reader on reading
    params             jsonb,
    page_id            text NOT NULL,
    channel_message_id text,
    sent_at            timestamptz,               -- the channel's own time: data
    clock_ahead        boolean NOT NULL,
    stored_at          timestamptz NOT NULL,      -- the log's time
    seq                int  NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, position, stored_at)
) PARTITION BY RANGE (stored_at);

-- One partition a month, made ahead; what falls outside is kept in the default one rather than lost.
CREATE TABLE message_default PARTITION OF message DEFAULT;

CREATE FUNCTION ensure_message_partitions(months_ahead int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date;
BEGIN
    FOR i IN 0..months_ahead LOOP
        first := date_trunc('month', now() AT TIME ZONE 'UTC')::date + make_interval(months => i);
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF message FOR VALUES FROM (%L) TO (%L)',
            'message_' || to_char(first, 'YYYY_MM'),
            first::timestamp AT TIME ZONE 'UTC',
            (first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    END LOOP;
END $$;
SELECT ensure_message_partitions(12);

-- Desk: projections of its events ------------------------------------------------------------------------------

CREATE TABLE desk_agent (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    agent_id     text NOT NULL,
    definition   jsonb NOT NULL,
    version      int  NOT NULL,
    active       boolean NOT NULL,
    PRIMARY KEY (workspace_id, desk_id, agent_id)
);

CREATE TABLE desk_department (
    workspace_id  text NOT NULL,
    desk_id       text NOT NULL,
    department_id text NOT NULL,
    definition    jsonb NOT NULL,
    version       int  NOT NULL,
    active        boolean NOT NULL,
    PRIMARY KEY (workspace_id, desk_id, department_id)
);

CREATE TABLE desk_page (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    page_id      text NOT NULL,
    definition   jsonb NOT NULL,
    version      int  NOT NULL,
    active       boolean NOT NULL,
    PRIMARY KEY (workspace_id, desk_id, page_id)
);

CREATE TABLE desk_rule (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    rule_id      text NOT NULL,
    definition   jsonb NOT NULL,
    version      int  NOT NULL,
    active       boolean NOT NULL,
    position     int  NOT NULL,                   -- in the order of rules
    ring         text[] NOT NULL,                 -- agents in the order of the rotation
    cursor       text,                            -- who had the last turn; none: the ring's first is next
    PRIMARY KEY (workspace_id, desk_id, rule_id)
);

CREATE TABLE desk_conversation (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    desk_id         text NOT NULL,
    key             text NOT NULL,
    page_id         text NOT NULL,
    seq             int  NOT NULL,
    last_event_id   uuid NOT NULL,
    epoch           int  NOT NULL,
    round           int  NOT NULL,
    care            text NOT NULL,
    standing        text NOT NULL CHECK (standing IN ('idle', 'held', 'offered', 'queued')),
    holder          text,
    session         int  NOT NULL,
    session_open    boolean NOT NULL,
    after_position  int  NOT NULL,
    rule_id         text,                         -- that queued it
    queued_at       timestamptz,                  -- since when it waits; kept over refusals
    queued_offset   bigint,                       -- on commands: the order among those of one moment
    PRIMARY KEY (workspace_id, conversation_id),
    CHECK ((holder IS NULL) = (care IN ('new', 'waiting'))),
    CHECK ((holder IS NOT NULL) = (standing = 'held')),
    CHECK ((queued_at IS NOT NULL) = (standing = 'queued')),
    CHECK ((queued_offset IS NULL) = (queued_at IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX desk_conversation_load ON desk_conversation (workspace_id, desk_id, holder)
    WHERE session_open AND holder IS NOT NULL;
CREATE INDEX desk_conversation_queue ON desk_conversation (workspace_id, desk_id, queued_at)
    WHERE standing = 'queued';

-- One outcome per idempotency key, kept for a day: a repeat gets no second record.
CREATE TABLE desk_outcome (
    workspace_id    text  NOT NULL,
    desk_id         text  NOT NULL,
    actor           text  NOT NULL,
    idempotency_key text  NOT NULL,
    request_sha256  bytea NOT NULL,
    outcome         jsonb NOT NULL,
    decided_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, desk_id, actor, idempotency_key)
);
-- By the desk's key, so that no plan takes it for finding one outcome.
CREATE INDEX desk_outcome_age ON desk_outcome ((workspace_id || ':' || desk_id), decided_at);

-- Notifier: what agents see ------------------------------------------------------------------------------------

-- How far the notifier has followed a conversation.
CREATE TABLE notifier_conversation (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    seq             int  NOT NULL,                -- the last assignment event applied
    epoch           int  NOT NULL,
    holder          text,
    position        int  NOT NULL,                -- the last message event applied
    counted_to      int  NOT NULL,                -- customer messages up to here are in the holder's unread count
    PRIMARY KEY (workspace_id, conversation_id)
) WITH (fillfactor = 80);

-- Who was to be told from this chain number on; kept until messages has passed it.
CREATE TABLE notifier_recipient (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    seq             int  NOT NULL,
    epoch           int  NOT NULL,
    holder          text,
    after_position  int  NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, seq)
);

-- Message events that name a chain number which has not come yet.
CREATE TABLE notifier_held (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    position        int  NOT NULL,
    seq             int  NOT NULL,
    event_id        uuid NOT NULL,
    event           jsonb NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, position)
);

CREATE TABLE notice (
    workspace_id    text NOT NULL,
    agent_id        text NOT NULL,
    notice_id       uuid NOT NULL,
    kind            text NOT NULL,                -- assigned, message
    conversation_id uuid NOT NULL,
    seq             int  NOT NULL,
    epoch           int  NOT NULL,
    position        int  NOT NULL,                -- of the message it speaks of, 0: none
    unread          int  NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, agent_id, notice_id)
);

-- An agent's list: one row per conversation that is or was his.
CREATE TABLE inbox (
    workspace_id    text NOT NULL,
    agent_id        text NOT NULL,
    conversation_id uuid NOT NULL,
    page_id         text NOT NULL,
    holds           boolean NOT NULL,
    epoch           int  NOT NULL,
    unread          int  NOT NULL,
    last_position   int  NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, agent_id, conversation_id)
) WITH (fillfactor = 80);

-- Sums over inbox, one row per agent and lane so that lanes never share a row.
CREATE TABLE inbox_counter (
    workspace_id  text NOT NULL,
    agent_id      text NOT NULL,
    lane          int  NOT NULL,
    conversations int  NOT NULL,                  -- held
    unread        int  NOT NULL,                  -- messages, in held ones
    PRIMARY KEY (workspace_id, agent_id, lane)
) WITH (fillfactor = 50);
