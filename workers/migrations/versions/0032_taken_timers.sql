-- For which moment a timer was taken, and its command is on its way: until that is decided it does not come again.
ALTER TABLE desk_timer ADD COLUMN taken_due_at timestamptz;
