-- Kafka's ids of the topics that `next_offsets` count in: a topic that is made again under its name has another one.
ALTER TABLE lane ADD COLUMN log_ids jsonb NOT NULL DEFAULT '{}';

-- Intake: customers who are erased. Up to `position` nothing of their words stays once it is done.
CREATE TABLE erasure (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    position        int  NOT NULL,                -- of the transcript's last line then
    asked_at        timestamptz NOT NULL,         -- the log's time
    asked_by        text NOT NULL,
    done_at         timestamptz,
    PRIMARY KEY (workspace_id, conversation_id)
);
CREATE INDEX erasure_open ON erasure (asked_at) WHERE done_at IS NULL;
