"""Stored outcomes of many keys are found at once, each by index."""

from __future__ import annotations

import asyncpg
import pytest

from workers.gateway.stored import READ, Key, read_stored

pytestmark = pytest.mark.servers

DESKS = frozenset({"main", "other"})
FILL_DESKS = """
INSERT INTO desk_outcome (workspace_id, desk_id, actor, idempotency_key, request_sha256, outcome, decided_at)
SELECT 'shop', CASE number % 2 WHEN 0 THEN 'main' ELSE 'other' END, 'agent:shop/' || number % 100,
    'key-' || number, sha256(number::text::bytea), jsonb_build_object(
        'kind', 'done', 'workspace', 'shop', 'desk', 'main', 'actor', 'agent:shop/' || number % 100,
        'idempotency_key', 'key-' || number, 'command', 'claim',
        'request_sha256', encode(sha256(number::text::bytea), 'hex'), 'at', now(), 'result', '{}'::jsonb),
    now() - CASE number % 10 WHEN 9 THEN interval '2 days' ELSE interval '1 minute' END
FROM generate_series(1, 5000) AS number
"""
FILL_INTAKE = """
INSERT INTO intake_outcome (workspace_id, actor, idempotency_key, request_sha256, outcome, decided_at)
SELECT workspace_id, actor, idempotency_key, request_sha256, NULL, now() FROM desk_outcome
WHERE idempotency_key LIKE '%0'
"""


async def test_each_key_is_answered_with_what_desks_and_intake_know_of_it(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(FILL_DESKS)
    await connection.execute(FILL_INTAKE)
    await connection.execute("ANALYZE desk_outcome, intake_outcome")
    keys = [Key(DESKS, f"agent:shop/{number % 100}", f"key-{number}") for number in (7, 10, 9, 5001, 7)]

    found = await read_stored(connection, "shop", keys)

    outcomes = [sorted(one.outcome.idempotency_key if one.outcome else "" for one in each) for each in found]
    assert outcomes == [["key-7"], ["", "key-10"], [], [], ["key-7"]]
    assert await read_stored(connection, "else", keys) == [[]] * len(keys)
    names = [key.key for key in keys]
    plan = await connection.fetchval(
        f"EXPLAIN (FORMAT JSON) {READ}", "shop", list(DESKS), [key.actor for key in keys], names
    )
    assert '"Seq Scan"' not in plan
    await connection.close()
