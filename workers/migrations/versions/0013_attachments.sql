-- Files --------------------------------------------------------------------------------------------------------

-- A file of an attachment; its bytes are in the storage, under a key made of workspace and id. Gateway and ingress
-- make rows of what is sent to them, intake of what is to be fetched from a channel; intake notes which message
-- names a file; the delivery worker fetches, and forgets what nothing names.
CREATE TABLE file (
    workspace_id    text NOT NULL,
    file_id         text NOT NULL,                -- drawn; of a channel's: computed from message and number
    conversation_id uuid,                         -- none: of a quick reply
    message_id      uuid,                         -- the first one that has named it
    owner           text,                         -- who sent it here; none: it is fetched
    state           text NOT NULL CHECK (state IN ('arriving', 'wanted', 'stored', 'failed')),
    reason          text,                         -- why it is not here yet, or never will be
    url             text,                         -- where the channel has it
    attempts        int  NOT NULL DEFAULT 0,      -- to fetch it; numbers them: who comes back late finds another
    due_at          timestamptz,                  -- wanted: not before
    type            text,                         -- by its content: image, audio, video, file
    media_type      text,
    name            text,
    size_bytes      bigint,
    width           int,
    height          int,
    thumbnail       boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, file_id)
);
CREATE INDEX file_wanted ON file (due_at) WHERE state = 'wanted';
CREATE INDEX file_unused ON file (created_at) WHERE message_id IS NULL;
CREATE INDEX file_unused_of_conversation ON file (conversation_id) WHERE message_id IS NULL;
