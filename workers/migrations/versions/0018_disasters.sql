-- Kafka's ids of the topics that `next_offsets` count in: a topic that is made again under its name has another one.
ALTER TABLE lane ADD COLUMN log_ids jsonb NOT NULL DEFAULT '{}';
