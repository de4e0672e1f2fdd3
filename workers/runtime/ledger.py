"""The lane rows in Postgres: what has been processed, and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from workers.runtime.batch import Event
from workers.runtime.handler import Connection
from workers.runtime.lanes import Lane
from workers.runtime.pending import pack, unpack
from workers.runtime.protocol import Row

_CREATE = """
INSERT INTO lane (kind, id) SELECT $1, unnest($2::int[]) ON CONFLICT DO NOTHING
"""
_READ = """
SELECT id, batch_no, next_offsets, owner, at_ms, stopped, log_ids,
       (SELECT coalesce(array_agg(p.batch_no ORDER BY p.batch_no), '{}')
          FROM pending p WHERE p.kind = lane.kind AND p.lane = lane.id) AS pending
  FROM lane WHERE kind = $1 AND id = ANY($2::int[])
"""
_CLAIM = """
UPDATE lane SET owner = $2
  FROM unnest($3::int[], $4::text[]) AS expected(id, owner)
 WHERE lane.kind = $1 AND lane.id = expected.id AND lane.owner IS NOT DISTINCT FROM expected.owner
   AND lane.stopped IS NULL
RETURNING lane.id
"""
_ADVANCE = """
UPDATE lane SET batch_no = lane.batch_no + 1, next_offsets = mine.next_offsets, at_ms = mine.at_ms
  FROM jsonb_to_recordset($3) AS mine(id int, batch_no bigint, next_offsets jsonb, at_ms bigint)
 WHERE lane.kind = $1 AND lane.id = mine.id AND lane.owner = $2 AND lane.batch_no = mine.batch_no
"""
_PREPARE = f"PREPARE advance (text, text, jsonb) AS {_ADVANCE}"
# One message to the server and one answer, which only what bears its own values can be.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; EXECUTE advance ({}, {}, {})"
# One statement: a round trip less in every batch. What is deleted and what is inserted are different batches.
# What was deleted lies in the index until a vacuum, or for as long as anybody reads from before it (a backup,
# for hours), but below what is forgotten, where nobody looks. The last conditions always hold. They let the
# planner expect few lanes, so that it looks for the batches of each: it believes the table to be empty, as it
# nearly is, and would go through all of the kind.
KEEP_PENDING = """
WITH mine AS (
    SELECT * FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bytea[])
        AS t (lane, batch_no, forgotten, confirmed, next_offsets, events)
), forgotten AS (
    DELETE FROM pending USING mine
     WHERE pending.kind = $1 AND pending.lane = mine.lane
       AND pending.batch_no > mine.forgotten AND pending.batch_no <= mine.confirmed
       AND mine.lane >= 0 AND mine.confirmed >= 0 AND mine.batch_no > 0
)
INSERT INTO pending (kind, lane, batch_no, next_offsets, events)
SELECT $1, lane, batch_no, next_offsets::jsonb, events FROM mine
"""
_READ_PENDING = """
SELECT lane, batch_no, events FROM pending
 WHERE kind = $1 AND lane = ANY($2::int[]) ORDER BY lane, batch_no
"""
_RELEASE = """
UPDATE lane SET owner = NULL
  FROM unnest($3::int[], $4::bigint[]) AS mine(id, batch_no)
 WHERE lane.kind = $1 AND lane.id = mine.id AND lane.owner = $2 AND lane.batch_no = mine.batch_no
"""
_AHEAD = "SELECT lane, event FROM published_ahead WHERE kind = $1 AND lane = ANY($2::int[])"
_KEEP_AHEAD = """
INSERT INTO published_ahead (kind, lane, event) SELECT $1, unnest($2::int[]), unnest($3::text[])
ON CONFLICT DO NOTHING
"""
_FORGET_AHEAD = "DELETE FROM published_ahead WHERE kind = $1 AND lane = $2 AND event = ANY($3::text[])"
_FORGET_ALL_AHEAD = "DELETE FROM published_ahead WHERE kind = $1 AND lane = $2"
_SEIZE = """
UPDATE lane SET owner = $3 WHERE kind = $1 AND id = $2 AND owner IS NOT DISTINCT FROM $4
"""
_CUT = " cut"
"""In `log_ids`, behind the topic: what tells offsets that were given a second time."""
_RESUME = """
UPDATE lane SET owner = NULL, stopped = NULL, next_offsets = $4::jsonb, log_ids = $5::jsonb
 WHERE kind = $1 AND id = $2 AND owner = $3
"""
_KNOW_LOGS = """
UPDATE lane SET log_ids = lane.log_ids || $4::jsonb WHERE kind = $1 AND owner = $2 AND id = ANY($3::int[])
"""
_STOP = "UPDATE lane SET stopped = $4 WHERE kind = $1 AND id = $2 AND owner = $3"
_EMPTY_PENDING = "DELETE FROM pending WHERE kind = $1 AND lane = ANY($2::int[])"


@dataclass(frozen=True, slots=True)
class StoredLane:
    """A lane's row and its clock."""

    row: Row
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rows of one kind of lane. Every method is one statement or two, on the caller's connection."""

    kind: str

    async def create(self, connection: Connection, lanes: Sequence[int]) -> None:
        """Make the rows of lanes that have none; harmless to repeat."""
        await connection.execute(_CREATE, self.kind, lanes)

    async def read(self, connection: Connection, lanes: Sequence[int]) -> dict[int, StoredLane]:
        """The rows of `lanes`."""
        rows = await connection.fetch(_READ, self.kind, lanes)
        return {record["id"]: _stored_lane(record) for record in rows}

    async def claim(
        self, connection: Connection, me: str, lanes: Sequence[int], owners: Sequence[str | None]
    ) -> set[int]:
        """Make `me` the owner of each lane whose owner is still the given one; returns those."""
        rows = await connection.fetch(_CLAIM, self.kind, me, lanes, owners)
        return {record["id"] for record in rows}

    async def advance(
        self,
        connection: Connection,
        me: str,
        lanes: Sequence[Lane],
        next_offsets: Sequence[dict[str, int]],
        at_ms: Sequence[int],
    ) -> bool:
        """Count one batch more on each lane. False: one of them is not mine any more; roll back."""
        rows = _advanced(lanes, next_offsets, at_ms)
        return _count(await connection.execute(_ADVANCE, self.kind, me, rows)) == len(lanes)

    async def begin(
        self,
        connection: Connection,
        me: str,
        lanes: Sequence[Lane],
        next_offsets: Sequence[dict[str, int]],
        at_ms: Sequence[int],
    ) -> bool:
        """Begin a transaction and `advance`, in one round trip; for a session that `prepare` has seen."""
        values = (self.kind, me, _advanced(lanes, next_offsets, at_ms))
        return _count(await connection.execute(_BEGIN.format(*map(_quoted, values)))) == len(lanes)

    async def keep_pending(
        self,
        connection: Connection,
        lanes: Sequence[Lane],
        next_offsets: Sequence[dict[str, int]],
        events: Sequence[Sequence[Event]],
    ) -> dict[int, int]:
        """Keep this batch's events until they are confirmed; forget those that are.

        Returns by lane up to which batch all are forgotten, when this transaction is committed.
        """
        ids = [lane.id for lane in lanes]
        confirmed = [lane.confirmed for lane in lanes]
        await connection.execute(
            KEEP_PENDING,
            self.kind,
            ids,
            [lane.batch_no + 1 for lane in lanes],
            [lane.forgotten for lane in lanes],
            confirmed,
            [_json(offsets) for offsets in next_offsets],
            [pack(list_) for list_ in events],
        )
        return dict(zip(ids, confirmed, strict=True))

    async def pending(
        self, connection: Connection, lanes: Sequence[int]
    ) -> dict[int, dict[int, list[Event]]]:
        """The pending events by lane and batch number."""
        found: dict[int, dict[int, list[Event]]] = {}
        for record in await connection.fetch(_READ_PENDING, self.kind, lanes):
            found.setdefault(record["lane"], {})[record["batch_no"]] = unpack(record["events"])
        return found

    async def release(self, connection: Connection, me: str, lanes: Sequence[Lane]) -> bool:
        """Give the lanes up, nothing of them being unconfirmed. False: one was not mine; roll back."""
        ids = [lane.id for lane in lanes]
        status = await connection.execute(_RELEASE, self.kind, me, ids, [lane.batch_no for lane in lanes])
        await connection.execute(_EMPTY_PENDING, self.kind, ids)
        return _count(status) == len(lanes)

    async def published_ahead(self, connection: Connection, lanes: Sequence[int]) -> dict[int, set[str]]:
        """Identities of events that readers have already, by lane; they are not published again."""
        found: dict[int, set[str]] = {}
        for record in await connection.fetch(_AHEAD, self.kind, lanes):
            found.setdefault(record["lane"], set()).add(record["event"])
        return found

    async def keep_published_ahead(
        self, connection: Connection, lanes: Sequence[int], events: Sequence[str]
    ) -> None:
        """Remember that readers have these events, each of its lane."""
        await connection.execute(_KEEP_AHEAD, self.kind, lanes, events)

    async def forget_published_ahead(self, connection: Connection, lane: int, events: Sequence[str]) -> None:
        """These were derived again."""
        await connection.execute(_FORGET_AHEAD, self.kind, lane, events)

    async def forget_all_published_ahead(self, connection: Connection, lane: int) -> None:
        """Whatever identities were remembered, they are of other events from here on."""
        await connection.execute(_FORGET_ALL_AHEAD, self.kind, lane)

    async def seize(self, connection: Connection, me: str, lane: int, owner: str | None) -> bool:
        """Make `me` the owner of a stopped lane whose owner is still `owner`."""
        return _count(await connection.execute(_SEIZE, self.kind, lane, me, owner)) == 1

    async def know_logs(
        self, connection: Connection, me: str, lanes: Sequence[int], log_ids: Mapping[str, str]
    ) -> None:
        """Remember which topics the offsets of these lanes of mine count in."""
        await connection.execute(_KNOW_LOGS, self.kind, me, lanes, _json(log_ids))

    async def resume(
        self,
        connection: Connection,
        me: str,
        lane: int,
        next_offsets: Mapping[str, int],
        log_ids: Mapping[str, str],
        cuts: Mapping[str, str],
    ) -> bool:
        """Let the lane run again from these offsets, nothing of it being pending. False: it is not mine."""
        logs = {**log_ids, **{topic + _CUT: cut for topic, cut in cuts.items()}}
        status = await connection.execute(_RESUME, self.kind, lane, me, _json(next_offsets), _json(logs))
        await connection.execute(_EMPTY_PENDING, self.kind, [lane])
        return _count(status) == 1

    async def stop(self, connection: Connection, me: str, lane: int, reason: str) -> bool:
        """Let nobody run the lane until it is recovered. False: it is not mine to stop."""
        return _count(await connection.execute(_STOP, self.kind, lane, me, reason)) == 1


async def prepare(connection: Connection) -> None:
    """Let this session `Ledger.begin`."""
    await connection.execute(_PREPARE)


def _stored_lane(record: Mapping[str, Any]) -> StoredLane:
    logs: dict[str, str] = orjson.loads(record["log_ids"])
    row = Row(
        batch_no=record["batch_no"],
        next_offsets=orjson.loads(record["next_offsets"]),
        owner=record["owner"],
        pending=tuple(record["pending"]),
        stopped=record["stopped"],
        log_ids={topic: id_ for topic, id_ in logs.items() if not topic.endswith(_CUT)},
        cuts={topic.removesuffix(_CUT): cut for topic, cut in logs.items() if topic.endswith(_CUT)},
    )
    return StoredLane(row, record["at_ms"])


def _advanced(lanes: Sequence[Lane], next_offsets: Sequence[dict[str, int]], at_ms: Sequence[int]) -> str:
    """What `_ADVANCE` is to change, as JSON."""
    rows = [
        {"id": lane.id, "batch_no": lane.batch_no, "next_offsets": offsets, "at_ms": moment}
        for lane, offsets, moment in zip(lanes, next_offsets, at_ms, strict=True)
    ]
    return orjson.dumps(rows).decode()


def _quoted(text: str) -> str:
    """As a literal. None of ours has a quote in it; it would be one of the text."""
    return "'" + text.replace("'", "''") + "'"


def _json(by_topic: Mapping[str, int | str]) -> str:
    return orjson.dumps(by_topic).decode()


def _count(status: str) -> int:
    """The number of rows in a command tag such as `UPDATE 12`."""
    return int(status.rsplit(" ", 1)[-1])
