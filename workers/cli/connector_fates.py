"""Follows a connector's records through the workers: into a transcript and to the desk, or to deadletter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg

from config.errors import DependencyError
from config.settings import Settings
from config.topics import DEADLETTER, INBOUND
from schemas.envelope import header
from workers.channels.delivery.marker import read_marker
from workers.channels.topic_reader import TopicReader, open_reader
from workers.cli.dead_letter import Summary, summarise
from workers.conformance.fate import Fate
from workers.conformance.kit import Followed
from workers.conformance.seen import Seen
from workers.runtime.failures import DependencyDownError
from workers.runtime.handler import Connection
from workers.runtime.identity import FORWARDED_FROM
from workers.runtime.postgres import connect, disconnect

POLL_S = 0.25
CLOCK_MARGIN_MS = 10 * 60 * 1000
"""By how much the clocks of brokers and workers may differ."""

OWNERS = "SELECT page_id, workspace_id FROM page_registry WHERE page_id = ANY($1::text[])"
STORED = """
SELECT seen.message_id::text, seen.position, c.standing, c.holder
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, message_id)
JOIN message_seen seen ON seen.workspace_id = wanted.workspace_id AND seen.message_id = wanted.message_id
JOIN conversation c ON c.workspace_id = seen.workspace_id AND c.conversation_id = seen.conversation_id
WHERE NOT c.route_unanswered
"""

Place = tuple[int, int]
"""Partition and offset on inbound."""


class Known(NamedTuple):
    """What is known by now."""

    stored: Mapping[str, Mapping[str, Any]]
    """By the message's id: those for which the desk has answered."""
    letters: Mapping[Place, Summary]


async def follow(settings: Settings, records: Sequence[Seen], wait_s: float) -> Followed | str:
    """What becomes of the records within `wait_s`; a sentence when Postgres cannot be asked at all.

    Raises what `open_reader` raises, and `DependencyError` when Postgres does not answer any more.
    """
    try:
        connection = await connect(settings, "tongdai connector check")
    except DependencyDownError as error:
        return str(error)
    try:
        owners = dict(await _fetch(connection, OWNERS, _pages(records)))
        async with open_reader(settings, [DEADLETTER.full_name(settings.kafka.topic_prefix)]) as reader:
            return Followed(owners, await _follow(connection, reader, records, owners, wait_s))
    finally:
        await disconnect(connection)


async def _follow(
    connection: Connection,
    reader: TopicReader,
    records: Sequence[Seen],
    owners: Mapping[str, str],
    wait_s: float,
) -> list[Fate]:
    """Ask again and again until every record has come to an end, or the time is over."""
    ends_s = time.monotonic() + wait_s
    first_ms = min((each.timestamp_ms or 0 for each in records), default=0)
    begins = dict(await reader.since(max(0, first_ms - CLOCK_MARGIN_MS)))
    letters: dict[Place, Summary] = {}
    while True:
        ends = await reader.ends()
        async for record in reader.read({each: begins.get(each, 0) for each in ends}, ends):
            place = _origin(record)
            if place is not None:
                letters[place] = summarise(record)
        begins = ends
        known = Known(await _stored(connection, records, owners), letters)
        fates = [_fate(each, known) for each in records]
        if time.monotonic() >= ends_s or all(fate.became != "waiting" for fate in fates):
            return fates
        await asyncio.sleep(POLL_S)


async def _stored(
    connection: Connection, records: Sequence[Seen], owners: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    wanted = {
        (owners[each.page], each.message_id)
        for each in records
        if each.is_right and each.message_id is not None and each.page is not None and each.page in owners
    }
    if not wanted:
        return {}
    rows = await _fetch(connection, STORED, *map(list, zip(*wanted, strict=True)))
    return {row["message_id"]: row for row in rows}


async def _fetch(connection: Connection, statement: str, *arguments: object) -> Any:  # noqa: ANN401 - rows
    try:
        return await connection.fetch(statement, *arguments)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DependencyError(f"Postgres does not answer as it should: {error!r}") from error


def _fate(seen: Seen, known: Known) -> Fate:
    fate = Fate(seen.place, seen.true_key or "", seen.message[1] if seen.message else "", "waiting")
    letter = known.letters.get((seen.partition or 0, seen.offset or 0))
    if letter is not None:
        return fate._replace(became="refused", reason=letter.reason, detail=letter.detail)
    row = known.stored.get(seen.message_id or "")
    if row is not None:
        return fate._replace(
            became="stored", position=row["position"], standing=row["standing"], holder=row["holder"]
        )
    is_nothing = seen.is_right and (not seen.says or read_marker(str(seen.fields.get("marker"))) is not None)
    return fate._replace(became="skipped") if is_nothing else fate


def _origin(record: Any) -> Place | None:  # noqa: ANN401 - aiokafka's ConsumerRecord
    """Where the refused record lay at first, also when it was sent on in between; none: not on inbound."""
    letter = summarise(record)
    if letter.topic != INBOUND.name:
        return None
    sent_on = (header(record.headers, FORWARDED_FROM) or b"").decode(errors="replace").split("/")
    if len(sent_on) == 4 and sent_on[1].isdecimal() and sent_on[3].isdecimal():
        return int(sent_on[1]), int(sent_on[3])
    return letter.partition, letter.offset


def _pages(records: Sequence[Seen]) -> list[str]:
    return sorted({each.page for each in records if each.page is not None})
