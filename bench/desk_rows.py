"""How fast one desk's decisions are kept: the real handler on Postgres, and the bare statements alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from bench.desk_work import BEGIN_MS, Work, chunks
from schemas import envelope
from schemas.commands import Command
from schemas.ids import desk_key
from workers.routing.desk.decision import KIND_OF
from workers.routing.desk.handler import DeskHandler
from workers.runtime.batch import Batch, Record
from workers.runtime.handler import Connection
from workers.runtime.sessions import PLANS
from workers.runtime.topology import Topology

BATCH = 500
"""Commands in one transaction."""
PARTITIONS = 6
TOPOLOGY = Topology("", {"commands": PARTITIONS})

Statement = tuple[str, tuple[Any, ...]]
"""The name of a connection's method, and what it was given."""


class Kept(NamedTuple):
    """Seconds of the clock for the same rows: with the desk, and with nothing but the statements; and of the
    processor for the desk's own part of the former."""

    assignments: int
    ours_s: float
    bare_s: float
    own_cpu_s: float


class Recorder:
    """A connection that remembers what it was asked to write."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.fetch = connection.fetch
        self.statements: list[Statement] = []

    async def execute(self, *arguments: Any) -> Any:  # noqa: ANN401  as asyncpg has it
        """See asyncpg."""
        self.statements.append(("execute", arguments))
        return await self._connection.execute(*arguments)

    async def executemany(self, statement: str, rows: Any) -> Any:  # noqa: ANN401  as asyncpg has it
        """See asyncpg."""
        rows = list(rows)
        self.statements.append(("executemany", (statement, rows)))
        return await self._connection.executemany(statement, rows)


async def keep(connection: Connection, work: Work) -> Kept:
    """Carry `work` out on empty tables. Its events are made as JSON and not published, here or there."""
    handler = DeskHandler(PARTITIONS, cached_conversations=len(work.before))
    await plan_as_workers(connection)
    offset = 0
    for commands in chunks(work.before, BATCH):
        await handle_in(handler, connection, connection, batch_of(commands, offset))
        offset += len(commands)
    batches = []
    for commands in chunks(work.measured, BATCH):
        batches.append(batch_of(commands, offset))
        offset += len(commands)
    recorders = [Recorder(connection) for _ in batches]
    begun, own_begun = time.perf_counter(), time.process_time()
    for recorder, batch in zip(recorders, batches, strict=True):
        await handle_in(handler, connection, recorder, batch)
    ours_s, own_cpu_s = time.perf_counter() - begun, time.process_time() - own_begun
    bare_s = await _replay(connection, [recorder.statements for recorder in recorders])
    return Kept(sum(map(_assignments, batches)), ours_s, bare_s, own_cpu_s)


async def plan_as_workers(connection: Connection) -> None:
    """Let the session plan as a worker's does: each statement once, and no table read from end to end."""
    for name, value in PLANS.items():
        await connection.execute("SELECT set_config($1, $2, false)", name, value)


async def handle_in(handler: DeskHandler, connection: Connection, through: Any, batch: Batch) -> None:  # noqa: ANN401
    """Let the handler see `connection` as `through`, in a transaction of its own."""
    async with connection.transaction():
        await handler.handle(through, batch)


async def _replay(connection: Connection, batches: Sequence[Sequence[Statement]]) -> float:
    """The seconds in which the same rows are written again, by the same statements."""
    begun = time.perf_counter()
    for statements in batches:
        async with connection.transaction():
            for name, arguments in statements:
                await getattr(connection, name)(*arguments)
    return time.perf_counter() - begun


def batch_of(commands: Sequence[Command], offset: int) -> Batch:
    """The commands as records of the log, the first at `offset`, a millisecond after one another."""
    records = [_record(command, offset + number) for number, command in enumerate(commands)]
    return Batch("desk", records, [record.timestamp_ms for record in records])


def _record(command: Command, offset: int) -> Record:
    at_ms, key = BEGIN_MS + offset, desk_key(command.workspace, command.desk)
    time_text = envelope.time_text(at_ms)
    headers = envelope.headers(
        KIND_OF[type(command)], id_=str(offset), source="bench", subject=key, time=time_text
    )
    value = command.model_dump_json().encode()
    lane = TOPOLOGY.partition("commands", key.encode())
    return Record("commands", lane, offset, at_ms, key.encode(), value, headers)


def _assignments(batch: Batch) -> int:
    kind = envelope.Kind("assignments", "assigned")
    return sum(
        event.topic == kind.topic and envelope.read_kind(event.headers, event.topic) == kind
        for events in batch.events.values()
        for event in events
    )
