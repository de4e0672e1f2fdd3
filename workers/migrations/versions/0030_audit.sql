-- Without a token anybody may name a workspace: what is said so does not stand among what its people did. What comes
-- again and again, and a bulk call of many conversations, is one row.
ALTER TABLE audit
    ADD COLUMN proven boolean NOT NULL DEFAULT true,  -- it was the actor, of this workspace; otherwise he said so
    ADD COLUMN times  int NOT NULL DEFAULT 1;
UPDATE audit SET proven = false
WHERE actor = '' OR code = 'too_many_attempts'
    OR (code = 'unauthenticated' AND (call = 'sign-in' OR actor LIKE 'service:%'));
-- A workspace's latest, of either kind.
CREATE INDEX audit_latest ON audit (workspace_id, proven, audit_id);

-- Some of what is older than half a year; how many. Whoever may only add to the audit forgets by it, as its owner.
CREATE FUNCTION forget_audit() RETURNS bigint LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM audit WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM audit WHERE at < now() - interval '180 days' LIMIT 10000 FOR UPDATE SKIP LOCKED))
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
