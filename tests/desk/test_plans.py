"""The desk's statements find their rows by index, however large the tables are.

Each statement's generic plan, the one that a worker's prepared statement settles on, must scan no table from
end to end: neither when it was made while the tables were empty nor when they are full.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bench.plans import nodes
from workers.routing.desk import answers, elsewhere, loading, preview, storing, timer_rows
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers

FILL = """
INSERT INTO desk_agent
SELECT 'w' || n % 900, 'main', 'a' || n, '{}', 1, true FROM generate_series(1, 20000) AS n;
INSERT INTO desk_department SELECT * FROM desk_agent;
INSERT INTO desk_page SELECT * FROM desk_agent;
INSERT INTO desk_rule
SELECT workspace_id, desk_id, agent_id, '{}', 1, true, 0, '{}', NULL FROM desk_agent;
INSERT INTO desk_policy SELECT 'w' || n, 'main', '{}', 1 FROM generate_series(1, 900) AS n;
INSERT INTO desk_timer
SELECT workspace_id, desk_id, 'offer', agent_id, n % 12, now() + n * interval '1 second'
FROM (SELECT *, row_number() OVER () AS n FROM desk_agent) AS numbered;
INSERT INTO desk_pace SELECT workspace_id, desk_id, agent_id, '{}' FROM desk_agent;
INSERT INTO desk_presence SELECT workspace_id, desk_id, agent_id, 'away', 1, '{}', now() FROM desk_agent;
INSERT INTO desk_gateway SELECT workspace_id, desk_id, agent_id, now() FROM desk_agent;
INSERT INTO page_registry SELECT 'zalo:' || n, 'w', 'main' FROM generate_series(1, 20000) AS n;
INSERT INTO agent_registry SELECT workspace_id, agent_id, desk_id FROM desk_agent;
INSERT INTO desk_outcome
SELECT workspace_id, desk_id, agent_id, agent_id, '', '{}', now() - random() * interval '1 day'
FROM desk_agent;
INSERT INTO desk_conversation
SELECT 'w' || n % 900, gen_random_uuid(), 'main', 'zalo:1:' || n, 'zalo:1', 2, gen_random_uuid(), 1, 1,
    'accepted', 'held', 'a' || n % 12, 1, true, 1
FROM generate_series(1, 40000) AS n;
INSERT INTO desk_conversation
SELECT 'w' || n % 900, gen_random_uuid(), 'main', 'zalo:2:' || n, 'zalo:2', 2, gen_random_uuid(), 0, 1,
    'new', 'queued', NULL, 1, true, 1, 'r', now(), 1
FROM generate_series(1, 5000) AS n;
ANALYZE;
"""

STATEMENTS = {
    "agents": (loading.AGENTS, {"desk_agent_pkey"}),
    "departments": (loading.DEPARTMENTS, {"desk_department_pkey"}),
    "pages": (loading.PAGES, {"desk_page_pkey"}),
    "rules": (loading.RULES, {"desk_rule_pkey"}),
    "policies": (loading.POLICIES, {"desk_policy_pkey"}),
    "timers": (loading.TIMERS, {"desk_timer_pkey"}),
    "due timers": (timer_rows.DUE, {"desk_timer_due"}),
    "disarm": (timer_rows.DISARM, {"desk_timer_pkey"}),
    "paces": (loading.PACES, {"desk_pace_pkey"}),
    "presences": (loading.PRESENCES, {"desk_presence_pkey"}),
    "gateways": (loading.GATEWAYS, {"desk_gateway_pkey"}),
    "transfers": (loading.TRANSFERS, {"desk_conversation_transfer"}),
    "held": (loading.HELD, {"desk_conversation_holder"}),
    "demoted": (loading.DEMOTED, {"desk_conversation_admin_followers"}),
    "preview": (preview.HELD, {"desk_conversation_holder"}),
    "loads": (loading.LOADS, {"desk_conversation_load"}),
    "silent": (loading.SILENT, {"desk_conversation_silent"}),
    "waiting": (loading.WAITING, {"desk_conversation_queue"}),
    "conversations": (loading.CONVERSATIONS, {"desk_conversation_pkey"}),
    "cursor": (storing.CURSOR, {"desk_rule_pkey"}),
    "outcomes": (answers.LOAD, {"desk_outcome_pkey"}),
    "old outcomes": (answers.DROP_OLD, {"desk_outcome_age"}),
    "registered pages": (elsewhere.PAGES, {"page_registry_pkey"}),
    "registered agents": (elsewhere.AGENTS, {"agent_registry_pkey"}),
}


@pytest.mark.parametrize("fill", ["SELECT", FILL], ids=["empty", "full"])
async def test_each_statement_uses_its_index(connection: Connection, fill: str) -> None:
    await connection.execute(fill)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for name, (statement, indexes) in STATEMENTS.items():
        found = list(nodes(await _plan(connection, statement)))
        assert [node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"] == [], name
        assert {node["Index Name"] for node in found if "Index Name" in node} == indexes, name


async def _plan(connection: Connection, statement: str) -> dict[str, Any]:
    parameters = (await connection.prepare(statement)).get_parameters()
    await connection.execute(f"PREPARE planned AS {statement}")
    nulls = f"({', '.join(['NULL'] * len(parameters))})"
    text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE planned {nulls}")
    await connection.execute("DEALLOCATE planned")
    plan: dict[str, Any] = orjson.loads(text)[0]["Plan"]
    return plan
