"""What the runtime's tests share: records in, runtimes that run, what a reader sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from config.settings import Settings
from config.topics_apply import apply_topics
from tests.waiting import eventually
from workers.runtime.groups import Groups
from workers.runtime.handler import Connection, Handler
from workers.runtime.protocol import Group
from workers.runtime.runtime import Runtime, read_topology
from workers.runtime.topology import Topology

DEADLINE_S = 90.0


@dataclass
class Running:
    """A runtime in this process, as a task."""

    runtime: Runtime
    task: asyncio.Task[None]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def stop(self) -> None:
        self.stopping.set()
        await asyncio.wait_for(self.task, DEADLINE_S)

    async def crash(self) -> None:
        """End it as a kill would: nothing is released."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@dataclass
class Lanes:
    """One test's topics and database."""

    settings: Settings
    topology: Topology
    database: Connection

    async def produce(
        self, values: list[bytes], *, topic: str = "inbound", partition: int | None = None
    ) -> None:
        """Append records, in order, over ten keys."""
        producer = AIOKafkaProducer(**self.settings.kafka.client_options(), enable_idempotence=True)
        await producer.start()
        try:
            name = self.topology.full_name(topic)
            sent = [
                await producer.send(name, value=value, key=b"key-%d" % (number % 10), partition=partition)
                for number, value in enumerate(values)
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def published(self, topic: str = "messages") -> list[tuple[bytes, dict[str, bytes]]]:
        """Values and headers of all committed records of `topic`."""
        name = self.topology.full_name(topic)
        consumer = AIOKafkaConsumer(
            **self.settings.kafka.client_options(), isolation_level="read_committed", enable_auto_commit=False
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(name, number) for number in range(self.topology.partitions[topic])]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[tuple[bytes, dict[str, bytes]]] = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [(record.value, dict(record.headers)) for record in records]
            return found
        finally:
            await consumer.stop()

    async def readable(self, count: int, topic: str = "messages") -> list[bytes]:
        """The values of all committed records of `topic`, once there are `count`.

        A transaction is answered when its commit is prepared; readers see it some milliseconds later.
        """
        found: list[bytes] = []

        async def enough() -> bool:
            found[:] = [value for value, _ in await self.published(topic)]
            return len(found) >= count

        await eventually(enough, f"{count} records of {topic} can be read")
        return found

    async def copied(self) -> list[bytes]:
        """The values that the handler kept."""
        return [row["value"] for row in await self.database.fetch("SELECT value FROM copied")]

    async def copied_count(self) -> int:
        count: int = await self.database.fetchval("SELECT count(*) FROM copied")
        return count

    async def make_again(self, topic: str) -> None:
        """Delete a topic and make it again under its name."""
        admin = AIOKafkaAdminClient(**self.settings.kafka.client_options())
        await admin.start()
        try:
            name = self.topology.full_name(topic)
            await admin.delete_topics([name])

            async def gone() -> bool:
                return name not in await admin.list_topics()

            await eventually(gone, "the topic is gone")
        finally:
            await admin.close()
        await apply_topics(self.settings)

    async def group(self) -> dict[int, Group]:
        """What the group intake has published."""
        groups = Groups(
            f"{self.settings.kafka.topic_prefix}.intake", ("actions", "inbound"), self.topology, self.settings
        )
        return await groups.read(range(self.topology.partitions["inbound"]))

    def start(self, handler: Handler, settings: Settings | None = None) -> Running:
        """Begin a runtime."""
        stopping = asyncio.Event()
        runtime = Runtime(handler, self.topology, settings or self.settings)
        return Running(runtime, asyncio.create_task(runtime.run(stopping), name="runtime"), stopping)


@asynccontextmanager
async def lanes_of(settings: Settings, create_sql: str) -> AsyncIterator[Lanes]:
    """Topology and a connection of this test."""
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    await connection.execute(create_sql)
    try:
        yield Lanes(settings, await read_topology(settings), connection)
    finally:
        await connection.close()


async def all_copied(lanes: Lanes, count: int) -> None:
    """Wait until the handler has kept so many records."""

    async def enough() -> bool:
        return await lanes.copied_count() >= count

    await eventually(enough, f"{count} records were copied")


async def all_there(lanes: Lanes, expected: list[bytes]) -> None:
    """Wait until all is kept and a reader sees it; then nothing was doubled."""
    await all_copied(lanes, len(expected))
    assert sorted(await lanes.readable(len(expected))) == sorted(expected)
    assert sorted(await lanes.copied()) == sorted(expected)


async def both_own_lanes(lanes: Lanes) -> None:
    """Wait until two workers share the lanes."""

    async def shared() -> bool:
        rows = await lanes.database.fetch("SELECT DISTINCT owner FROM lane WHERE owner IS NOT NULL")
        return len(rows) == 2

    await eventually(shared, "both workers own lanes")


def values(first: int, count: int) -> list[bytes]:
    """So many values, numbered from the first."""
    return [b"value-%d" % number for number in range(first, first + count)]
