"""What agents read is found by index, however large the tables are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from bench.lists import fill
from workers.gateway.identity import Identity
from workers.gateway.queries import counts, detail, explaining, followed, people, rows, transcript
from workers.gateway.queries.filters import Filters
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.queries import FIRST
from workers.gateway.queries.scope import scope_of
from workers.gateway.queries.walking import WITH_NAME, WITH_TEXT, Walk, statement_of
from workers.gateway.roster import Rosters

pytestmark = pytest.mark.servers

FULL = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND reltuples >= 1000"
"""Tables of some size: an empty month of messages is read from end to end at once."""
PEOPLE = (
    Identity("shop", "agent", "agent-7"),
    Identity("shop", "page_admin", "agent-0"),
    Identity("shop", "admin", "agent-1"),
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    writer = await asyncpg.connect(database)
    await fill(writer, 6_000)
    await writer.close()
    async with asyncpg.create_pool(database, min_size=1, max_size=2, server_settings=SERVER_SETTINGS) as pool:
        yield pool


async def scanned(pool: asyncpg.Pool, statement: str, *values: object) -> tuple[set[str], set[str]]:
    """The tables that a statement reads from end to end, and the indexes that it uses."""
    text = await pool.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *values)
    nodes = list(_nodes(orjson.loads(text)[0]["Plan"]))
    whole = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    full = {row[0] for row in await pool.fetch(FULL)}
    return whole & full, {node["Index Name"] for node in nodes if "Index Name" in node}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


WANTED = {
    ("agent-7", "unclaimed"): {"desk_conversation_audience", "conversation_pkey"},
    ("agent-7", "assigned"): {"conversation_held", "desk_conversation_pkey"},
    ("agent-0", "unclaimed"): {"conversation_unheld", "desk_conversation_pkey"},
    ("agent-0", "mine"): {"conversation_held", "desk_conversation_pkey"},
    ("agent-0", "watching"): {"conversation_of_page", "desk_conversation_pkey"},
    ("agent-1", "watching"): {"conversation_of_page", "desk_conversation_pkey"},
}


async def test_no_list_reads_a_table_from_end_to_end(pool: asyncpg.Pool) -> None:
    roster = await Rosters(pool).of("shop")
    for identity in PEOPLE:
        scope = scope_of(identity, roster)
        for bucket in ("all", "unclaimed", "mine", "watching", "assigned"):
            statement, values = statement_of(Walk(scope, Filters(bucket=bucket), None, 51), None)
            whole, indexes = await scanned(pool, statement, *values)
            assert whole == set(), (identity, bucket)
            assert indexes >= WANTED.get((identity.agent or "", bucket), set()), (identity, bucket)
    one = uuid4()
    statements: dict[str, tuple[str, tuple[object, ...], set[str]]] = {
        "rows": (rows.READ, ("shop", [one], "agent-7"), {"inbox_pkey", "customer_pkey"}),
        "counts": (counts.SUMS, ("shop", ["agent:agent-7"], ["held"], ["zalo:1"]), {"inbox_counter_pkey"}),
        "followed": (
            followed.FOLLOWED,
            ("shop", "agent-7", FIRST.at, FIRST.id, False, 51),
            {"inbox_followed", "desk_conversation_pkey"},
        ),
        "before": (transcript.BEFORE, ("shop", one, 9, 50, True), set()),
        "after": (transcript.AFTER, ("shop", one, 9, 50, True), set()),
        "logs": (transcript.LOGS, ("shop", one, 50), set()),
        "profile": (detail.PROFILE, ("shop", one), {"customer_pkey"}),
        "stands": (detail.STANDS, ("shop", one), {"desk_conversation_pkey"}),
        "explained": (explaining.STANDS, ("shop", one), {"desk_conversation_pkey"}),
        "loads": (people.AGENTS, ("shop", ["main"]), {"desk_conversation_load"}),
        "name": (WITH_NAME, ("shop", [one], "lan"), {"customer_pkey"}),
        "text": (WITH_TEXT, ("shop", [one], "lan"), set()),
    }
    for name, (statement, given, wanted) in statements.items():
        whole, indexes = await scanned(pool, statement, *given)
        assert whole == set(), name
        assert indexes >= wanted, (name, indexes)
