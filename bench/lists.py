"""How long agents and page admins wait for their lists, counts and searches, in a shop of any size."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from bench import shop
from bench.arena import DATA_DIR, open_arena
from bench.machine import Machine, precise_cpu_s
from bench.percentiles import Percentiles
from bench.plans import Watched, Work, explain
from config.settings import Settings
from workers.gateway.identity import Identity
from workers.gateway.queries import counts, followed, lists
from workers.gateway.queries.filters import Asked, Filters
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.queries import FIRST
from workers.gateway.queries.scope import Scope, scope_of
from workers.gateway.roster import Roster, Rosters

GOAL_MS = 20.0
"""Of a first page, and of the counts."""

PEOPLE = {
    "agent": Identity(shop.WORKSPACE, "agent", "agent-9"),
    "agent, many": Identity(shop.WORKSPACE, "agent", "agent-8"),
    "admin of 10 pages": Identity(shop.WORKSPACE, "page_admin", "agent-0"),
    "admin of 63 pages": Identity(shop.WORKSPACE, "page_admin", "agent-1"),
    "admin of all": Identity(shop.WORKSPACE, "admin", "agent-2"),
}
ASKED: dict[str, Filters] = {
    "all": Filters(),
    "unclaimed": Filters(bucket="unclaimed"),
    "mine": Filters(bucket="mine"),
    "watching": Filters(bucket="watching"),
    "assigned": Filters(bucket="assigned"),
    "channel": Filters(channel=("zalo",)),
    "page": Filters(page=("fchat:197",)),
    "rare care": Filters(care=("pending_close",)),
    "some care": Filters(care=("closed_won",)),
    "common care": Filters(care=("done",)),
    "rare tag": Filters(tag=("vip",)),
    "some tag": Filters(tag=("khiếu nại",)),
    "common tag": Filters(tag=("mua",)),
    "group": Filters(group=("khách sỉ",)),
    "unread": Filters(unread=True),
    "holder": Filters(holder="agent-10"),
    "time": Filters(since=shop.NOW - timedelta(days=9), until=shop.NOW - timedelta(days=7)),
    "rare name": Filters(q="8f14e45f"),
    "common name": Filters(q="nguyen thi"),
    "phone": Filters(q="0001234"),
    "rare text": Filters(text="dh12345"),
    "some text": Filters(text="áo số 77"),
    "common text": Filters(text="khoac do"),
    "name, tag and care": Filters(q="tran", tag=("mua",), care=("closed_won",)),
}

Ask = Callable[..., Awaitable[object]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class ListsPlan:
    """A shop of so many conversations, everything asked for as often as there are rounds."""

    conversations: int
    rounds: int


class Answered(NamedTuple):
    """One question: milliseconds of the clock here, and what the server said of its work.

    `cpu_ms` is the server's processor time, mean of all rounds: a busy machine changes it least. None: the
    server is on another machine.
    """

    who: str
    name: str
    taken_ms: Percentiles
    cpu_ms: float | None
    work: Work


@dataclass(frozen=True)
class Lists:
    """What was found."""

    plan: ListsPlan
    filled_s: float
    answered: list[Answered]
    machine: Machine

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "conversations": self.plan.conversations,
            "filled_s": round(self.filled_s, 1),
            "goal_ms": GOAL_MS,
            "answered": [_told(one) for one in self.answered],
            "machine": asdict(self.machine),
        }


async def measure(settings: Settings, plan: ListsPlan, tell: Tell, data_dir: Path = DATA_DIR) -> Lists:
    """Fill a shop and ask; `tell` hears a line after each question. Raises BenchError, DependencyError."""
    async with open_arena(settings, data_dir) as arena:
        dsn = arena.settings.postgres.dsn.get_secret_value()
        begun = time.perf_counter()
        writer = await asyncpg.connect(dsn, command_timeout=None)
        await shop.fill(writer, plan.conversations)
        await writer.close()
        filled_s = time.perf_counter() - begun
        tell(f"{plan.conversations:,} conversations in {filled_s:.0f} s")
        answered = await ask_all(dsn, plan.rounds, tell)
    return Lists(plan, filled_s, answered, arena.machine)


async def ask_all(dsn: str, rounds: int, tell: Tell) -> list[Answered]:
    """Ask everything of a shop that has been filled."""
    found = []
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings=SERVER_SETTINGS) as pool:
        roster = await Rosters(pool).of(shop.WORKSPACE)
        async with pool.acquire() as connection:
            for who, name, ask in questions(roster):
                one = Answered(who, name, *await _time(connection, ask, rounds))
                found.append(one)
                tell(f"{who}: {name}: p50 {one.taken_ms.p50} ms, {one.work.rows_read:,} rows read")
    return found


def questions(roster: Roster) -> Iterator[tuple[str, str, Ask]]:
    """Who asks, for what, and how."""
    for who, identity in PEOPLE.items():
        scope = scope_of(identity, roster)
        for name, filters in ASKED.items():
            if _concerns(scope, name):
                page = Asked.model_validate(filters.model_dump())
                yield who, name, partial(lists.read_list, scope=scope, asked=page)
                yield who, f"{name}: count", partial(lists.count, scope=scope, filters=filters)
        yield who, "counts", partial(counts.read_counts, scope=scope, roster=roster)
        for unread in (False, True):
            mine = partial(followed.read_followed, scope=scope, after=FIRST, limit=50, unread=unread)
            yield who, "my users, unread" if unread else "my users", mine


def _concerns(scope: Scope, name: str) -> bool:
    """Whether he has such a list at all."""
    return bool(scope.pages) or name not in ("mine", "watching", "holder", "page")


async def _time(
    connection: asyncpg.Connection, ask: Ask, rounds: int
) -> tuple[Percentiles, float | None, Work]:
    watched = Watched(connection)
    await _ask(ask, connection, watched)
    pid, taken_ms = connection.get_server_pid(), []
    before_s = precise_cpu_s(pid)
    for _ in range(rounds):
        begun = time.perf_counter()
        await _ask(ask, connection, connection)
        taken_ms.append((time.perf_counter() - begun) * 1000)
    after_s = precise_cpu_s(pid)
    cpu_ms = None if before_s is None or after_s is None else (after_s - before_s) * 1000 / rounds
    return Percentiles.of(taken_ms), cpu_ms, await explain(connection, watched.statements)


async def _ask(ask: Ask, connection: asyncpg.Connection, asked: object) -> None:
    """As the gateway does: in one view of all tables."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await ask(asked)


def _told(one: Answered) -> dict[str, Any]:
    work = asdict(one.work)
    work.update(scanned=sorted(one.work.scanned), indexes=sorted(one.work.indexes))
    return {
        "who": one.who,
        "asked": one.name,
        "ms": asdict(one.taken_ms),
        "cpu_ms": one.cpu_ms,
        "server": work,
    }
