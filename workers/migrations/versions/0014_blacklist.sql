-- Customers that are kept out -----------------------------------------------------------------------------------

-- Stored, and of no consequence: its customer was kept out when it came.
ALTER TABLE message ADD COLUMN blocked boolean NOT NULL DEFAULT false;

ALTER TABLE desk_conversation
    ADD COLUMN blocked_at     timestamptz,
    ADD COLUMN blocked_by     text,                -- who keeps its customer out
    ADD COLUMN blocked_reason text;
-- The blacklist, the newest first; those of before this version come last.
CREATE INDEX desk_conversation_blocked
    ON desk_conversation (workspace_id, coalesce(blocked_at, to_timestamp(0)) DESC, conversation_id DESC) WHERE blocked;
DROP INDEX desk_conversation_load;
CREATE INDEX desk_conversation_load ON desk_conversation (workspace_id, desk_id, holder, page_id)
    WHERE session_open AND NOT silent AND NOT blocked AND holder IS NOT NULL;

-- Addresses that are kept out -----------------------------------------------------------------------------------

-- From which networks visitors who have ever written came, as long as the settings say. The ingress writes it.
CREATE TABLE visitor_address (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    network         cidr NOT NULL,                -- of IPv6 the subscriber's
    page_id         text NOT NULL,
    seen_at         timestamptz NOT NULL,         -- when he last came from there
    PRIMARY KEY (workspace_id, conversation_id, network)
);
CREATE INDEX visitor_address_network ON visitor_address (workspace_id, page_id, network);
CREATE INDEX visitor_address_age ON visitor_address (seen_at);

-- The gateway writes it; what is over is forgotten.
CREATE TABLE address_block (
    workspace_id    text NOT NULL,
    block_id        uuid NOT NULL,
    page_id         text NOT NULL,
    network         cidr NOT NULL,
    until           timestamptz,                  -- none: for good
    reason          text,
    conversation_id uuid,                         -- from which it was made; none: written by hand
    blocked_by      text NOT NULL,
    blocked_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, block_id),
    UNIQUE (workspace_id, page_id, network)
);
CREATE INDEX address_block_listed ON address_block (workspace_id, blocked_at DESC, block_id DESC);
CREATE INDEX address_block_end ON address_block (until);

-- How often a page's blocks have changed: an ingress reads them anew when this is another number.
CREATE TABLE address_block_version (
    workspace_id text   NOT NULL,
    page_id      text   NOT NULL,
    version      bigint NOT NULL,
    PRIMARY KEY (workspace_id, page_id)
);
CREATE INDEX address_block_version_page ON address_block_version (page_id);
