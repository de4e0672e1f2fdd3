"""The desk's handler on a real Postgres, fed batch by batch as the runtime does it."""

from __future__ import annotations

from collections.abc import Sequence

from schemas import envelope
from schemas.assignments import ChainEvent
from schemas.catalogue import RECORDS
from schemas.commands import Command
from schemas.envelope import Kind
from schemas.ids import desk_key
from tests.desk.log import BEGIN_MS, DESK, WORKSPACE
from workers.routing.desk.apply import Decided, apply
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.conversation_rows import conversation_of
from workers.routing.desk.decision import KIND_OF
from workers.routing.desk.desk import Desk
from workers.routing.desk.handler import DeskHandler
from workers.routing.desk.loading import load_desks
from workers.runtime.batch import Batch, Event, Record
from workers.runtime.handler import Connection
from workers.runtime.topology import Topology

PARTITIONS = 6
TOPOLOGY = Topology("", {"commands": PARTITIONS})


class World:
    """A commands topic, the handler, and what it has published."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.handler = DeskHandler(PARTITIONS)
        self.published: list[Event] = []
        self._offset = 0

    def record(
        self,
        command: Command | bytes,
        *,
        kind: Kind | None = None,
        key: str | None = None,
        lane: int | None = None,
        at_ms: int | None = None,
    ) -> Record:
        """The next record on commands; unless given otherwise, where and as it belongs."""
        self._offset += 1
        if isinstance(command, bytes):
            value, kind, key = command, kind or Kind("commands", "route"), key or desk_key(WORKSPACE, DESK)
        else:
            value, kind = command.model_dump_json().encode(), kind or KIND_OF[type(command)]
            key = key or desk_key(command.workspace, command.desk)
        belongs = TOPOLOGY.partition("commands", key.encode())
        headers = envelope.headers(kind, id_="1", source="test", subject=key, time="2025-11-22T08:26:40Z")
        return Record(
            "commands",
            belongs if lane is None else lane,
            self._offset,
            BEGIN_MS + self._offset if at_ms is None else at_ms,
            key.encode(),
            value,
            headers,
        )

    async def handle(self, *commands: Command | Record) -> Batch:
        """One batch, in a transaction of its own."""
        records = [one if isinstance(one, Record) else self.record(one) for one in commands]
        batch = batch_of(records)
        async with self.connection.transaction():
            await self.handler.handle(self.connection, batch)
        self.published += [event for events in batch.events.values() for event in events]
        return batch

    async def stored(self) -> dict[str, Conversation]:
        """The rows of desk_conversation, by key."""
        rows = await self.connection.fetch("SELECT * FROM desk_conversation")
        return {row["key"]: conversation_of(row) for row in rows}

    async def desk_of_tables(self) -> Desk:
        """The desk as another worker would load it, with all conversations."""
        name = (WORKSPACE, DESK)
        desk = (await load_desks(self.connection, [name]))[name]
        for key, conversation in (await self.stored()).items():
            if key not in desk.conversations:
                desk.keep(conversation)
        return desk

    def desk_of_events(self) -> Desk:
        """The desk as a consumer folds it from what was published."""
        desk = Desk(WORKSPACE, DESK)
        for event in self.published:
            apply(desk, read(event))
        return desk

    def chain(self, key: str) -> list[ChainEvent]:
        """What was published of a conversation."""
        events = [read(event).event for event in self.published if event.key == key.encode()]
        return [event for event in events if isinstance(event, ChainEvent)]


def batch_of(records: Sequence[Record]) -> Batch:
    """The batch of these records, each at the broker's time."""
    return Batch("desk", records, [record.timestamp_ms for record in records])


def read(event: Event) -> Decided:
    """What a consumer reads."""
    kind = envelope.read_kind(event.headers, event.topic)
    id_ = envelope.header(event.headers, "ce_id")
    if id_ is None:
        raise ValueError("an event without ce_id")
    return Decided(id_.decode(), RECORDS[kind].model_validate_json(event.value))
