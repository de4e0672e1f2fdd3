-- Gateway: who may come in, and who was refused. Tables of no lane; only the gateway and `tongdai accounts` write ---

CREATE TABLE account (
    workspace_id  text NOT NULL,
    login         text NOT NULL,                  -- lower case
    password_hash text NOT NULL,                  -- argon2id
    role          text NOT NULL CHECK (role IN ('admin', 'page_admin', 'agent')),
    agent_id      text NOT NULL,                  -- in whose name he acts
    active        boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, login)
);

-- One sign-in: a family of refresh tokens, of which only the one of the current generation is good.
CREATE TABLE sign_in (
    workspace_id text NOT NULL,
    sign_in_id   uuid NOT NULL,
    login        text NOT NULL,
    address      text NOT NULL,
    generation   int  NOT NULL DEFAULT 1,
    signed_in_at timestamptz NOT NULL DEFAULT now(),
    rotated_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    ended_why    text,                            -- signed_out, reused, password, disabled
    PRIMARY KEY (workspace_id, sign_in_id)
);
CREATE INDEX sign_in_login ON sign_in (workspace_id, login) WHERE ended_at IS NULL;
CREATE INDEX sign_in_expired ON sign_in (expires_at);

-- Guesses at passwords: by account, whether there is such a one or not, and by address.
CREATE TABLE sign_in_attempt (
    workspace_id text NOT NULL,
    subject      text NOT NULL,                   -- login:<login>, address:<network>
    failures     int  NOT NULL,
    last_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, subject)
);
CREATE INDEX sign_in_attempt_age ON sign_in_attempt (last_at);

-- Networks from which a workspace's people may come; none: from everywhere.
CREATE TABLE sign_in_network (
    workspace_id text NOT NULL,
    network      cidr NOT NULL,
    note         text NOT NULL DEFAULT '',
    PRIMARY KEY (workspace_id, network)
);

CREATE TABLE service_token (
    workspace_id text  NOT NULL,
    service_id   text  NOT NULL,
    token_sha256 bytea NOT NULL,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (workspace_id, service_id)
);

-- What was refused, to whom. Kept for half a year.
CREATE TABLE audit (
    workspace_id text NOT NULL,                   -- as it was named, which need not exist
    audit_id     bigint GENERATED ALWAYS AS IDENTITY,
    at           timestamptz NOT NULL,
    actor        text NOT NULL,                   -- agent:<workspace>/<id>, service:<id>, login:<login>, or empty
    address      text NOT NULL,
    call         text NOT NULL,
    subject      text NOT NULL,                   -- the conversation or agent that it was about, or empty
    code         text NOT NULL,
    PRIMARY KEY (workspace_id, audit_id)
);
CREATE INDEX audit_age ON audit USING brin (at);
