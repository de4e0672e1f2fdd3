"""Sends records to inbound at a steady rate through every outage; the ledger says what was acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from faults.stream import Planned

TICK_S = 0.05
CHUNK_MAX = 500
RETRY_S = 0.3
ANSWER_S = 8.0
"""A record without an answer for so long is unknown: it may be there or not."""


class Sender:
    """One producer at a time; after an outage a new one, as nobody knows what became of the old records."""

    def __init__(self, servers: str, topic: str, ledger: Path) -> None:
        self._servers = servers
        self._topic = topic
        self._ledger = ledger.open("ab")
        self._producer: AIOKafkaProducer | None = None
        self.acknowledged = 0
        self.unknown = 0
        self.kinds: Counter[str] = Counter()
        self._sending = asyncio.Lock()

    async def run(self, records: Iterable[Planned], count: int, rate_per_s: float) -> None:
        """Send the first `count` records; each is sent again until Kafka has acknowledged it."""
        iterator = iter(records)
        began, sent = time.monotonic(), 0
        while sent < count:
            due = int((time.monotonic() - began) * rate_per_s) + 1
            chunk = list(islice(iterator, max(0, min(count - sent, due - sent, CHUNK_MAX))))
            sent += len(chunk)
            if chunk:
                began += await self._deliver(chunk)
            if sent >= due:
                await asyncio.sleep(TICK_S)

    async def send(self, records: Sequence[Planned]) -> None:
        """Send these too, in this order, however busy it is with the others."""
        for begin in range(0, len(records), CHUNK_MAX):
            await self._deliver(records[begin : begin + CHUNK_MAX])

    async def close(self) -> None:
        """Let the producer go and close the ledger."""
        await self._drop_producer()
        self._ledger.close()

    async def _deliver(self, chunk: Sequence[Planned]) -> float:
        """Send until all are acknowledged; returns the seconds lost to outages."""
        lost_s, left = 0.0, list(chunk)
        while left:
            tried = time.monotonic()
            async with self._sending:
                left = await self._attempt(left)
            if left:
                lost_s += time.monotonic() - tried
        self.kinds.update(record.kind for record in chunk)
        return lost_s

    async def _attempt(self, chunk: Sequence[Planned]) -> list[Planned]:
        """Send once; returns those without an acknowledgement."""
        producer = await self._started()
        if producer is None:
            await asyncio.sleep(RETRY_S)
            return list(chunk)
        try:
            async with asyncio.timeout(ANSWER_S):
                futures = [await self._send(producer, record) for record in chunk]
        except (KafkaError, OSError, TimeoutError):
            # Some may have been handed over: none of them is known.
            return await self._gave_up(chunk)
        await asyncio.wait(futures, timeout=ANSWER_S)
        left = [
            record for record, future in zip(chunk, futures, strict=True) if not self._note(record, future)
        ]
        if left:
            await self._drop_producer()
        return left

    async def _send(self, producer: AIOKafkaProducer, record: Planned) -> asyncio.Future[RecordMetadata]:
        future: asyncio.Future[RecordMetadata] = await producer.send(
            self._topic,
            record.value,
            key=record.key.encode() or None,
            partition=record.partition,
            headers=record.headers,
        )
        return future

    async def _gave_up(self, chunk: Sequence[Planned]) -> list[Planned]:
        for record in chunk:
            self._write(record, None)
        await self._drop_producer()
        return list(chunk)

    def _note(self, record: Planned, future: asyncio.Future[RecordMetadata]) -> bool:
        acknowledged = future.done() and not future.cancelled() and future.exception() is None
        self._write(record, future.result() if acknowledged else None)
        return acknowledged

    def _write(self, record: Planned, place: RecordMetadata | None) -> None:
        entry = {"key": record.key, "id": record.id, "kind": record.kind, "result": "unknown"}
        if place is not None:
            entry |= {"result": "ok", "partition": place.partition, "offset": place.offset}
            self.acknowledged += 1
        else:
            self.unknown += 1
        self._ledger.write(orjson.dumps(entry) + b"\n")

    async def _started(self) -> AIOKafkaProducer | None:
        """The producer; none while Kafka does not answer."""
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                bootstrap_servers=self._servers,
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                request_timeout_ms=5_000,
            )
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self._producer.start()
            except (KafkaError, OSError, TimeoutError):
                await self._drop_producer()
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(2):
                await producer.stop()
        except (KafkaError, OSError, TimeoutError):
            return  # it hangs when the broker is gone; what it had is noted as unknown
