"""Whether a message costs as much among a million stored conversations as among ten thousand."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from bench import check, stored_rows
from bench.arena import DATA_DIR, Arena, open_arena
from bench.contestants import OURS
from bench.machine import MIB, Machine
from bench.plans import Statement, Work, explain
from bench.race import Backlog, Run, drain
from bench.roster import WORKSPACE
from bench.workload import NEW_EVERY, Customer
from config.settings import Settings
from schemas.ids import conversation_id
from workers.routing.desk.loading import CONVERSATIONS
from workers.routing.intake.conversation_rows import LOAD
from workers.routing.intake.dedupe import SEEN
from workers.routing.intake.ticket_rows import LOAD_LAST
from workers.runtime.handler import Connection

NO_LIMIT_S = 600.0
ASKED = 200
"""Conversations that one explained statement asks for."""

_SIZES = """
SELECT relation.oid::regclass::text, pg_table_size(relation.oid), pg_indexes_size(relation.oid)
FROM pg_class AS relation JOIN unnest($1::text[]) WITH ORDINALITY AS named (name, place)
    ON relation.oid = named.name::regclass
WHERE relation.relkind = 'r' ORDER BY place
"""
_MESSAGE_SIZES = """
SELECT 'message', sum(pg_table_size(relid)), sum(pg_indexes_size(relid))
FROM pg_partition_tree('message') WHERE isleaf
"""

Tell = Callable[[str], None]


class Size(NamedTuple):
    """A table and its indexes, in MiB."""

    table: str
    rows_mib: float
    indexes_mib: float


@dataclass(frozen=True)
class StoredPlan:
    """A backlog of so many messages over each number of stored conversations."""

    sizes: Sequence[int]
    messages: int


@dataclass(frozen=True)
class AtSize:
    """What it took among so many stored conversations. `lookups`: what one of each kind reads."""

    conversations: int
    filled_s: float
    run: Run
    lookups: dict[str, Work]
    sizes: list[Size]


@dataclass(frozen=True)
class Stored:
    """All sizes, in order."""

    plan: StoredPlan
    found: list[AtSize]
    machine: Machine

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "messages": self.plan.messages,
            "stored": [_report(one) for one in self.found],
            "machine": asdict(self.machine),
        }


async def measure(settings: Settings, plan: StoredPlan, tell: Tell, data_dir: Path = DATA_DIR) -> Stored:
    """Fill and drain, one size after the other. Raises BenchError, DependencyError."""
    found = []
    async with open_arena(settings, data_dir) as arena:
        for conversations in plan.sizes:
            one = await _measure_one(arena, conversations, plan.messages)
            found.append(one)
            cost_us = one.run.cpu_us_per_message
            tell(f"{conversations:,} stored in {one.filled_s:.0f} s: {cost_us:.0f} µs of our own a message")
    return Stored(plan, found, arena.machine)


async def _measure_one(arena: Arena, conversations: int, messages: int) -> AtSize:
    """Whoever returns does so once: all of them are on disk, none in the worker's memory."""
    returning = -(-messages // (2 * NEW_EVERY))
    async with arena.course() as course:
        begun = time.perf_counter()
        # A connection of its own: with what it sets, the measured ones have nothing to do.
        filler = await asyncpg.connect(course.settings.postgres.dsn.get_secret_value(), command_timeout=None)
        back = await stored_rows.fill(filler, course.settings, conversations, returning)
        await filler.close()
        filled_s = time.perf_counter() - begun
        backlog = Backlog(messages, NO_LIMIT_S, back)
        run = await drain(course, OURS, backlog)
        await check.check_done(
            course.connection,
            messages + conversations * stored_rows.LINES,
            backlog.conversations + conversations,
        )
        lookups = await _look_up(course.connection, back[:ASKED])
        return AtSize(conversations, filled_s, run, lookups, await _sizes(course.connection))


async def _look_up(connection: Connection, customers: Sequence[Customer]) -> dict[str, Work]:
    """What a worker asks of those who come back, explained."""
    ids = [conversation_id(one.key) for one in customers]
    here = [WORKSPACE] * len(ids)
    statements: dict[str, Statement] = {
        "seen before": (SEEN, (ids, here)),
        "conversation, customer": (LOAD, (here, ids)),
        "last ticket": (LOAD_LAST, (here, ids)),
        "at the desk": (CONVERSATIONS, (here, ids)),
    }
    return {name: await explain(connection, [statement]) for name, statement in statements.items()}


async def _sizes(connection: Connection) -> list[Size]:
    rows = [
        await connection.fetchrow(_MESSAGE_SIZES),
        *await connection.fetch(_SIZES, stored_rows.TABLES),
    ]
    return [Size(name, float(table) / MIB, float(indexes) / MIB) for name, table, indexes in rows]


def _report(one: AtSize) -> dict[str, Any]:
    run = one.run
    return {
        "conversations": one.conversations,
        "filled_s": round(one.filled_s, 1),
        "messages_per_s": round(run.messages_per_s, 1),
        "us_per_message": dict(run.us_per_message),
        "lookups": {
            name: {
                "blocks": work.blocks / ASKED,
                "rows_read": work.rows_read / ASKED,
                "scanned": sorted(work.scanned),
            }
            for name, work in one.lookups.items()
        },
        "sizes_mib": {size.table: {"rows": size.rows_mib, "indexes": size.indexes_mib} for size in one.sizes},
    }
