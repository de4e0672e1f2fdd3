"""Whether a contestant did the job: a figure counts only then."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Any, TypeVar

import orjson
from aiokafka import AIOKafkaConsumer

from bench.failures import BenchError
from bench.progress import partitions
from bench.roster import AGENTS, WORKSPACE
from config.settings import Settings
from config.topics import ASSIGNMENTS, MESSAGES, Topic
from workers.runtime.handler import Connection

T = TypeVar("T")

UNPUBLISHED_MAX = 2_000
"""One that is stopped in its work may have stored so many messages without their events yet: a batch."""
READ_DEADLINE_S = 120.0

_STORED = "SELECT count(*), count(DISTINCT message_id) FROM message WHERE workspace_id = $1 AND kind <> 'log'"
_OPENED = "SELECT count(*) FROM conversation WHERE workspace_id = $1"
_HELD = """
SELECT agent, count(conversation_id) FROM unnest($2::text[]) AS agent
  LEFT JOIN desk_conversation ON workspace_id = $1 AND holder = agent
 GROUP BY agent
"""


async def check_done(connection: Connection, messages: int, conversations: int) -> None:
    """Every message is stored once, every conversation has its agent, all agents the same number of them.

    Raises BenchError.
    """
    stored, distinct = await connection.fetchrow(_STORED, WORKSPACE)
    _expect("messages stored", stored, messages)
    _expect("different messages", distinct, messages)
    _expect("conversations", await connection.fetchval(_OPENED, WORKSPACE), conversations)
    _expect("conversations with an agent", sum((await _held(connection)).values()), conversations)


async def check_turns(connection: Connection) -> None:
    """Agents were given new conversations in turn. Raises BenchError."""
    _expect_turns((await _held(connection)).values())


async def check_events(settings: Settings, connection: Connection, *, stopped_early: bool) -> None:
    """Every stored message has its event, readable with `read_committed`. Raises BenchError."""
    stored, _ = await connection.fetchrow(_STORED, WORKSPACE)
    events = await count_message_events(settings)
    missing = stored - events
    if missing > (UNPUBLISHED_MAX if stopped_early else 0) or (missing < 0 and not stopped_early):
        raise BenchError(f"{stored} messages are stored, but {events} have their event")


async def check_topics(settings: Settings, messages: int, conversations: int) -> None:
    """The same by what was published alone, of one that has no tables. Raises BenchError."""
    stored = await _read(settings, MESSAGES, itemgetter("message"))
    holders = await _read(settings, ASSIGNMENTS, itemgetter("key", "holder"))
    judge_published(stored, holders, messages, conversations)


def judge_published(
    stored: Collection[str], holders: Collection[tuple[str, str]], messages: int, conversations: int
) -> None:
    """The same of the messages' ids, and of each conversation's key with its agent. Raises BenchError."""
    _expect("messages published", len(stored), messages)
    _expect("different messages", len(set(stored)), messages)
    _expect("assignments published", len(holders), conversations)
    _expect("conversations with an agent", len(dict(holders)), conversations)
    held = Counter(holder for _, holder in holders)
    _expect_turns(held[agent] for agent in AGENTS)


async def count_message_events(settings: Settings) -> int:
    """The readable events of customers' messages; log lines and tickets have events too."""
    return sum(await _read(settings, MESSAGES, _is_of_message))


async def _read(settings: Settings, topic: Topic, of: Callable[[dict[str, Any]], T]) -> list[T]:
    """What a `read_committed` reader finds on a topic, of each value what is asked. Raises TimeoutError."""
    places = partitions(settings, topic)
    consumer = AIOKafkaConsumer(
        **settings.kafka.client_options(), isolation_level="read_committed", enable_auto_commit=False
    )
    found: list[T] = []
    async with asyncio.timeout(READ_DEADLINE_S):
        await consumer.start()
        try:
            consumer.assign(places)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(places)
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [of(orjson.loads(record.value)) for record in records]
        finally:
            await consumer.stop()
    return found


def _is_of_message(value: dict[str, Any]) -> bool:
    return bool(value.get("kind", "log") != "log")


async def _held(connection: Connection) -> dict[str, int]:
    rows = await connection.fetch(_HELD, WORKSPACE, list(AGENTS))
    return {row["agent"]: row["count"] for row in rows}


def _expect(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise BenchError(f"{what}: {found}, but {wanted} were to be")


def _expect_turns(held: Iterable[int]) -> None:
    counts = sorted(held)
    if counts[-1] - counts[0] > 1:
        raise BenchError(f"agents were not given new conversations in turn: {counts}")
