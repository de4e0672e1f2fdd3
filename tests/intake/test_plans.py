"""The statements of every batch find their rows by index, whether the tables are empty or large.

Each statement's generic plan, the one that a worker's prepared statement settles on, must scan no table of
ours from end to end: neither when the tables are new nor when they are filled and analysed.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bench.plans import nodes
from workers.routing.intake import (
    conversation_rows,
    customer_rows,
    dedupe,
    marks,
    outcome_rows,
    pages,
    policies,
    quoting,
    reply_rows,
    rules,
    storing,
    ticket_rows,
    timers,
)
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers

ROWS = 20_000

_FILL = f"""
INSERT INTO conversation
SELECT 'acme', gen_random_uuid(), 'main', n % 48, 'messenger:1:' || n, 'messenger:1', 3, 1, 1, 'held', 'lan',
    false, 1, true, 2, 0, now(), now() + n * interval '1 minute'
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO customer SELECT workspace_id, conversation_id, page_id, key, 'An', now() FROM conversation;
INSERT INTO session SELECT workspace_id, conversation_id, 1, now(), 1 FROM conversation;
INSERT INTO ticket
SELECT workspace_id, conversation_id, n, gen_random_uuid(), page_id, n, 1, 'open', '', '{{}}', 'lan',
    now(), now()
FROM conversation, generate_series(1, 2) AS n;
INSERT INTO message_seen
SELECT workspace_id, gen_random_uuid(), conversation_id, 1, now() FROM conversation;
INSERT INTO message_mark SELECT workspace_id, conversation_id, 'm1', 'edit', 'x', 1, now() FROM conversation;
INSERT INTO held_reply
SELECT workspace_id, conversation_id, gen_random_uuid(), 1, 'reply/1', '{{}}' FROM conversation;
INSERT INTO intake_outcome
SELECT 'acme', 'agent:acme/lan', 'k' || n, '', '{{}}', now() - n * interval '1 second'
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, page_id,
    clock_ahead, stored_at, seq)
SELECT workspace_id, conversation_id, 1, gen_random_uuid(), 1, 'customer', 'text', page_id, false, now(), 0
FROM conversation;
INSERT INTO desk_policy SELECT 'acme', 'd' || n, '{{}}', 1 FROM generate_series(1, {ROWS}) AS n;
INSERT INTO desk_rule
SELECT 'acme', 'main', 'r' || n, '{{}}', 1, true, n, '{{}}', NULL FROM generate_series(1, {ROWS}) AS n;
INSERT INTO desk_page
SELECT 'acme', 'main', 'zalo:' || n, '{{}}', 1, true FROM generate_series(1, {ROWS}) AS n;
INSERT INTO page_registry SELECT 'zalo:' || n, 'acme', 'main' FROM generate_series(1, {ROWS}) AS n;
ANALYZE;
"""

STATEMENTS = {
    "load": (conversation_rows.LOAD, {"conversation_pkey", "customer_pkey"}),
    "store": (storing.STORE, {"conversation_pkey"}),
    "seen": (dedupe.SEEN, {"message_seen_pkey"}),
    "owners": (pages.OWNERS, {"page_registry_pkey", "desk_page_pkey"}),
    "end_sessions": (storing.END_SESSIONS, {"session_pkey"}),
    "due": (timers.DUE, {"conversation_timer", "conversation_silence"}),
    "disarm": (timers.DISARM, {"conversation_pkey"}),
    "disarm_silence": (timers.DISARM_SILENCE, {"conversation_pkey"}),
    "policies": (policies.CHANGED, {"desk_policy_pkey"}),
    "rules": (rules.REPLY_CLAIMS, {"desk_rule_pkey"}),
    "outcomes": (outcome_rows.LOAD, {"intake_outcome_pkey"}),
    "customers": (customer_rows.LOAD, {"customer_pkey"}),
    "store_customers": (customer_rows.STORE, {"customer_pkey"}),
    "marks": (marks.LOAD, {"message_mark_pkey"}),
    "replies": (reply_rows.LOAD, {"held_reply_pkey"}),
    "settle": (reply_rows.SETTLE, {"held_reply_pkey"}),
    "tickets": (ticket_rows.LOAD, {"ticket_pkey"}),
    "last_tickets": (ticket_rows.LOAD_LAST, {"ticket_pkey"}),
}


async def test_each_statement_uses_its_indexes(connection: Connection) -> None:
    """Also when the plan was made while the tables were empty, as on a first start."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for state in ("empty", "full"):
        for name, (statement, indexes) in STATEMENTS.items():
            found = list(nodes(await _generic_plan(connection, f"{name}_{state}", statement)))
            assert not [node for node in found if node["Node Type"] == "Seq Scan"], (name, state)
            assert {node["Index Name"] for node in found if "Index Name" in node} == indexes, (name, state)
        if state == "empty":
            await connection.execute(_FILL)


async def test_what_is_quoted_is_found_by_its_key(connection: Connection) -> None:
    await connection.execute(_FILL)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    month = await connection.fetchval("SELECT tableoid::regclass::text FROM message LIMIT 1")
    found = list(nodes(await _generic_plan(connection, "quoted", quoting.LOAD)))
    (scan,) = [node for node in found if node.get("Relation Name") == month]
    assert scan["Index Name"] == f"{month}_pkey"


async def _generic_plan(connection: Connection, name: str, statement: str) -> dict[str, Any]:
    """The plan that does not depend on the arguments."""
    arguments = ", ".join("NULL" for _ in (await connection.prepare(statement)).get_parameters())
    await connection.execute(f"PREPARE {name} AS {statement}")
    explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name} ({arguments})")
    plan: dict[str, Any] = orjson.loads(explained)[0]["Plan"]
    return plan
