"""What a run sees of the system while it works: the groups' lag, and who has an open transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

INPUTS = {
    "intake": ("assignments", "actions", "inbound"),
    "desk": ("commands",),
    "notifier": ("assignments", "messages", "receipts"),
}
KINDS = {"routing": ("intake", "desk"), "notifier": ("notifier",)}
ANSWER_S = 5.0
READ_S = 30.0
"""Reading a whole topic may take so long."""
POLL_MS = 200


Ends = Mapping[TopicPartition, int]
"""The offset behind the last record of each partition."""


class UnseenError(RuntimeError):
    """Kafka or Postgres does not answer now."""


class Watch:
    """Asks Kafka for lag, again and again by the same connections; by new ones after it did not answer."""

    def __init__(self, servers: str, prefix: str, partitions: dict[str, int]) -> None:
        self._servers = servers
        self._prefix = prefix
        self._partitions = partitions
        self._clients: tuple[AIOKafkaAdminClient, AIOKafkaConsumer] | None = None
        self._asking = asyncio.Lock()

    async def close(self) -> None:
        """Let the connections go."""
        clients, self._clients = self._clients, None
        if clients:
            await clients[0].close()
            await clients[1].stop()

    async def lag(self, ends: Ends | None = None) -> dict[str, int]:
        """Records and markers that each group has still to commit, up to `ends`. Raises UnseenError."""
        async with self._asking, self._answering("the lag", ANSWER_S):
            lags = await asyncio.gather(*(self._lag_of(group, ends) for group in INPUTS))
        return dict(zip(INPUTS, lags, strict=True))

    async def ends(self, topic: str) -> list[int]:
        """The offset behind the last record of each partition of `topic`. Raises UnseenError.

        Behind it may stand markers of transactions, which nobody is told of: so the topic is read.
        """
        parts = _parts(self._prefix, self._partitions, [topic])
        async with self._asking, self._answering(f"what {topic} has", READ_S):
            return await self._read_to_end(parts)

    @asynccontextmanager
    async def _answering(self, what: str, within_s: float) -> AsyncIterator[None]:
        """Be connected. Raises UnseenError when Kafka does not answer in time."""
        try:
            async with asyncio.timeout(within_s):
                if self._clients is None:
                    await self._connect()
                yield
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise UnseenError(f"Kafka does not tell {what}") from error

    async def _connect(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, isolation_level="read_committed", enable_auto_commit=False
        )
        self._clients = admin, consumer
        await admin.start()
        await consumer.start()

    async def _read_to_end(self, parts: Sequence[TopicPartition]) -> list[int]:
        _, consumer = self._connected
        ends = await consumer.end_offsets(parts)
        behind = dict.fromkeys(parts, 0)
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for part, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                behind[part] = records[-1].offset + 1 if records else behind[part]
        consumer.unsubscribe()
        return list(behind.values())

    async def _lag_of(self, group: str, until: Ends | None) -> int:
        admin, consumer = self._connected
        committed = await admin.list_consumer_group_offsets(f"{self._prefix}.{group}")
        if not committed:
            # The client hides that the coordinator refuses to answer.
            raise UnseenError(f"Kafka knows no offsets of {group}")
        parts = _parts(self._prefix, self._partitions, INPUTS[group])
        ends = until or await consumer.end_offsets(parts)
        done = {part: max(0, committed[part].offset) if part in committed else 0 for part in parts}
        return sum(max(0, ends[part] - done[part]) for part in parts)

    @property
    def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        assert self._clients is not None
        return self._clients


async def reached_by(servers: str, prefix: str, partitions: dict[str, int]) -> Ends:
    """Where each input ends now, whether its last records are committed or not. Raises UnseenError."""
    topics = {topic for group in INPUTS.values() for topic in group}
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    try:
        async with asyncio.timeout(ANSWER_S):
            await consumer.start()
            ends: Ends = await consumer.end_offsets(_parts(prefix, partitions, sorted(topics)))
    except (KafkaError, OSError, TimeoutError) as error:
        raise UnseenError("Kafka does not answer") from error
    finally:
        await consumer.stop()
    return ends


def _parts(prefix: str, partitions: dict[str, int], topics: Sequence[str]) -> list[TopicPartition]:
    return [
        TopicPartition(f"{prefix}.{topic}.v1", number)
        for topic in topics
        for number in range(partitions[topic])
    ]


def ports_of(pid: int) -> set[int]:
    """The local ports of a process's TCP connections; none when it has ended."""
    try:
        inodes = _sockets_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return set()
    return _ports(inodes)


def _sockets_of(pid: int) -> set[str]:
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            target = entry.readlink().name
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    return inodes


def _ports(inodes: set[str]) -> set[int]:
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                ports.add(int(fields[1].rsplit(":", 1)[1], 16))
    return ports


async def ports_inside(connection: asyncpg.Connection) -> set[int]:
    """The client ports of workers' sessions inside a transaction that has written."""
    rows = await connection.fetch(
        """SELECT client_port FROM pg_stat_activity
            WHERE xact_start IS NOT NULL AND backend_xid IS NOT NULL
              AND application_name LIKE 'tongdai %' AND client_port > 0"""
    )
    return {row["client_port"] for row in rows}
