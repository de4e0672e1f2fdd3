-- Webhooks out: tables of no lane. The gateway and `tongdai webhooks` write what an admin asks and raise `term`; the
-- worker that leases an endpoint writes the rest, and nothing once the term is another.

CREATE TABLE webhook_endpoint (
    workspace_id  text NOT NULL,
    endpoint_id   text NOT NULL,                  -- chosen by who adds it
    url           text NOT NULL,
    description   text NOT NULL DEFAULT '',
    events        text[] NOT NULL,                -- topics, or kinds as topic.kind
    state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'disabled')),
    why           text NOT NULL DEFAULT '',       -- why it is not active
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    -- The secret is computed from a key of the settings and the salt: neither stands here.
    key_id        text  NOT NULL,
    salt          bytea NOT NULL,
    former_key_id text,
    former_salt   bytea,
    former_until  timestamptz,                    -- until then the former secret signs too
    start         jsonb,                          -- from where to tell, until a worker has found the offsets
    test_asked    boolean NOT NULL DEFAULT false,
    owner         uuid,                           -- the worker that leases it
    lease_until   timestamptz,
    term          bigint NOT NULL DEFAULT 0,      -- raised by each claim and each change: the fence
    failures      int NOT NULL DEFAULT 0,         -- in a row, of the endpoint as a whole
    failing_since timestamptz,
    retry_at      timestamptz,
    delivered_at  timestamptz,
    behind        bigint,                         -- records between its positions and the ends, when last told
    waiting_since timestamptz,                    -- the log's time of the oldest event that waits
    PRIMARY KEY (workspace_id, endpoint_id)
);

-- Every record of a partition below its offset was delivered, or is not wanted.
CREATE TABLE webhook_position (
    workspace_id text NOT NULL,
    endpoint_id  text NOT NULL,
    topic        text NOT NULL,
    offsets      bigint[] NOT NULL,               -- one for each partition, from 0
    PRIMARY KEY (workspace_id, endpoint_id, topic),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES webhook_endpoint ON DELETE CASCADE
);

-- Partitions whose next event was refused, which hold back nothing but themselves.
CREATE TABLE webhook_stuck (
    workspace_id  text NOT NULL,
    endpoint_id   text NOT NULL,
    topic         text NOT NULL,
    partition     int  NOT NULL,
    failures      int  NOT NULL,
    failing_since timestamptz NOT NULL,
    retry_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, endpoint_id, topic, partition),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES webhook_endpoint ON DELETE CASCADE
);

-- The last attempts of each endpoint.
CREATE TABLE webhook_attempt (
    workspace_id text NOT NULL,
    endpoint_id  text NOT NULL,
    attempt_id   bigint GENERATED ALWAYS AS IDENTITY,
    at           timestamptz NOT NULL,
    event_id     text NOT NULL,
    event_type   text NOT NULL,
    topic        text,                            -- none: a test
    partition    int,
    record       bigint,                          -- its offset
    status       int,                             -- none: no answer came
    error        text,                            -- none: delivered
    took_ms      int NOT NULL,
    PRIMARY KEY (workspace_id, endpoint_id, attempt_id),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES webhook_endpoint ON DELETE CASCADE
);

-- Workers that live, so that each leases its share.
CREATE TABLE webhook_worker (
    worker_id   uuid PRIMARY KEY,
    alive_until timestamptz NOT NULL
);
