-- What goes on though something else has no end -------------------------------------------------------------------------

-- gone_at: what intake keeps has gone; done_at waits for delivery and the files' store, too.
ALTER TABLE erasure ADD COLUMN gone_at timestamptz;
UPDATE erasure SET gone_at = done_at WHERE done_at IS NOT NULL;
CREATE INDEX erasure_kept ON erasure (asked_at) WHERE gone_at IS NULL;

-- left_out: conversations of a page that its channel did not give.
ALTER TABLE delivery_errand ADD COLUMN left_out int NOT NULL DEFAULT 0;

-- failures: of the channel to give it; `attempts` also counts those that our own store, or a crash, has ended.
-- due_at: of what arrives, and of what was being fetched when its customer was erased, until when its bytes may come.
ALTER TABLE file ADD COLUMN failures int NOT NULL DEFAULT 0;
