-- The desk: offers, transfers, care, followers, blocks, and what a conversation waits for ---------------------

ALTER TABLE desk_conversation
    ADD COLUMN priority         smallint NOT NULL DEFAULT 2,  -- 0 VIP, 1 urgent, 2 usual
    ADD COLUMN facts            jsonb,                        -- of the session's first customer message
    ADD COLUMN reason           text,                         -- of the care status
    ADD COLUMN outcome          text CHECK (outcome IN ('won', 'dead_end')),
    ADD COLUMN declined         text[] NOT NULL DEFAULT '{}', -- not asked again until somebody else has held it
    ADD COLUMN audience         text,                         -- to whom it is offered
    ADD COLUMN ring             smallint NOT NULL DEFAULT 0,
    ADD COLUMN offer_expires_at timestamptz,
    ADD COLUMN transfer         jsonb,                        -- its holder's offer that is not answered yet
    ADD COLUMN followers        text[] NOT NULL DEFAULT '{}',
    ADD COLUMN muted            text[] NOT NULL DEFAULT '{}',
    ADD COLUMN held_since       timestamptz,
    ADD COLUMN taken_from       text,                         -- the audience of the offer that a claim ended
    ADD COLUMN last_holder      text,
    ADD COLUMN last_held_at     timestamptz,
    ADD COLUMN blocked          boolean NOT NULL DEFAULT false,
    ADD COLUMN blocked_until    timestamptz,
    ADD COLUMN silent           boolean NOT NULL DEFAULT false, -- its open session does not count as load
    ADD COLUMN absent_until     timestamptz,                  -- its holder is offline: it waits anew then
    ADD COLUMN quiet_until      timestamptz,                  -- a human answers it outside: nobody is asked before
    DROP CONSTRAINT desk_conversation_check2,                 -- since when it waits is kept while it is held
    ADD CHECK (standing <> 'queued' OR queued_at IS NOT NULL),
    ADD CHECK ((audience IS NOT NULL) = (standing = 'offered')) NOT VALID,
    ADD CHECK (transfer IS NULL OR holder IS NOT NULL);

DROP INDEX desk_conversation_load;
CREATE INDEX desk_conversation_load ON desk_conversation (workspace_id, desk_id, holder, page_id)
    WHERE session_open AND NOT silent AND holder IS NOT NULL;
DROP INDEX desk_conversation_queue;
CREATE INDEX desk_conversation_queue ON desk_conversation (workspace_id, desk_id, queued_at)
    WHERE standing IN ('queued', 'offered');
-- By the desk's key, so that no plan takes it for finding those that wait.
CREATE INDEX desk_conversation_transfer ON desk_conversation ((workspace_id || ':' || desk_id))
    WHERE transfer IS NOT NULL;
-- By the agent's key, so that no plan takes it for adding up loads.
CREATE INDEX desk_conversation_holder ON desk_conversation ((workspace_id || '/' || holder))
    WHERE holder IS NOT NULL;

-- What holds for a whole desk.
CREATE TABLE desk_policy (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    definition   jsonb NOT NULL,
    version      int  NOT NULL,
    PRIMARY KEY (workspace_id, desk_id)
);

-- Timers: each is what the state says it must be, so that a replay arms the same.
CREATE TABLE desk_timer (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    timer        text NOT NULL,                   -- offer, transfer, block, …
    subject      text NOT NULL,                   -- key of the conversation, agent, rule or gateway
    lane         int  NOT NULL,
    due_at       timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, desk_id, timer, subject)
);
CREATE INDEX desk_timer_due ON desk_timer (lane, due_at);

-- What an agent is at each gateway, and when each gateway was last heard of.
CREATE TABLE desk_presence (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    agent_id     text NOT NULL,
    presence     text NOT NULL CHECK (presence IN ('online', 'away', 'offline')),
    version      int  NOT NULL,
    gateways     jsonb NOT NULL,                  -- presence by gateway
    since        timestamptz NOT NULL,            -- of the presence
    PRIMARY KEY (workspace_id, desk_id, agent_id)
);
CREATE TABLE desk_gateway (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    gateway      text NOT NULL,
    alive_at     timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, desk_id, gateway)
);

-- When the desk gave each agent his latest new conversations, where a rule limits how soon or how often.
CREATE TABLE desk_pace (
    workspace_id text NOT NULL,
    desk_id      text NOT NULL,
    agent_id     text NOT NULL,
    given        timestamptz[] NOT NULL,
    PRIMARY KEY (workspace_id, desk_id, agent_id)
);
