-- What a worker does now and then while it runs ----------------------------------------------------------------

-- One partition a month, made ahead; what falls outside is kept in message_default rather than lost, and moves
-- when its month is made. Attached, not created in place: that would lock every reader and writer of message out.
DROP FUNCTION ensure_message_partitions(int);
CREATE FUNCTION ensure_message_partitions(from_at timestamptz DEFAULT now(), months_ahead int DEFAULT 12)
RETURNS SETOF text LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    month timestamp;
    made  text;
    first timestamptz;
    past  timestamptz;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7462118932) THEN
        RETURN;                                   -- another is making them
    END IF;
    FOR i IN 0..months_ahead LOOP
        month := date_trunc('month', from_at AT TIME ZONE 'UTC') + make_interval(months => i);
        made := 'message_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN to_regclass(made) IS NOT NULL;
        first := month AT TIME ZONE 'UTC';
        past := (month + interval '1 month') AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE %I (LIKE message INCLUDING ALL)', made);
        IF EXISTS (SELECT FROM message_default WHERE stored_at >= first AND stored_at < past) THEN
            LOCK TABLE message_default IN ACCESS EXCLUSIVE MODE;
            EXECUTE format(
                'WITH moved AS (DELETE FROM message_default WHERE stored_at >= $1 AND stored_at < $2 RETURNING *)
                 INSERT INTO %I SELECT * FROM moved', made) USING first, past;
        END IF;
        EXECUTE format('ALTER TABLE message ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', made, first, past);
        RETURN NEXT made;
    END LOOP;
END $$;

-- What is too old in message_seen is found by walking the table's blocks, so that writing pays for no index.
DROP INDEX message_seen_age;
