-- Pages that are paused, or go on: told to their admins -----------------------------------------------------------------

-- found_with: the message with which it was found, in whose conversation it is told; told_paused: what was told last.
ALTER TABLE delivery_page ADD COLUMN found_with uuid, ADD COLUMN told_paused text;
CREATE INDEX delivery_page_untold ON delivery_page (page_id) WHERE paused IS DISTINCT FROM told_paused;
