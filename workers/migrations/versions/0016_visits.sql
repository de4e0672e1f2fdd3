-- Visitors of websites: where they are -----------------------------------------------------------------------

-- Ingresses that are alive, by when they last said so.
CREATE TABLE visit_ingress (
    ingress  text NOT NULL PRIMARY KEY,           -- drawn when it starts
    alive_at timestamptz NOT NULL
);

-- A visitor who has written, at one ingress; all that are about him go when it was told that he has left.
CREATE TABLE visit (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    ingress         text NOT NULL,
    key             text NOT NULL,                -- channel:account:user
    left_at         timestamptz,                  -- when his last tab there went; none: he is there
    PRIMARY KEY (workspace_id, conversation_id, ingress)
) WITH (fillfactor = 80);
CREATE INDEX visit_left ON visit (left_at) WHERE left_at IS NOT NULL;
-- Of an ingress that has died.
CREATE INDEX visit_there ON visit (ingress) WHERE left_at IS NULL;

-- How far an agent has read what the visitor said: shown to him also when he comes back.
ALTER TABLE conversation ADD COLUMN seen_position int NOT NULL DEFAULT 0;
-- Answers that begin a chat, among those that wait for the desk.
ALTER TABLE held_reply ADD COLUMN starts boolean NOT NULL DEFAULT false;
