"""Sends records to inbound at a steady rate through every outage; the ledger says what became of each.

It is a history: what will be sent stands there before any of it is, and what came of it before anything else
is sent. So it is true of a sender that was killed, too.
"""

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
        self._ops = 0
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
        first = self._invoke(chunk)
        try:
            async with asyncio.timeout(ANSWER_S):
                futures = [await self._send(producer, record) for record in chunk]
        except (KafkaError, OSError, TimeoutError):
            # Some may have been handed over: none of them is known.
            places: list[RecordMetadata | None] = [None] * len(chunk)
        else:
            await asyncio.wait(futures, timeout=ANSWER_S)
            places = [_place(future) for future in futures]
        self._note(first, places)
        left = [record for record, place in zip(chunk, places, strict=True) if place is None]
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

    def _invoke(self, chunk: Sequence[Planned]) -> int:
        """Write down what will be sent; returns the number of the first, which the others follow."""
        first = self._ops + 1
        for record in chunk:
            self._ops += 1
            self._write(type="invoke", op=self._ops, key=record.key, id=record.id)
        self._ledger.flush()
        return first

    def _note(self, first: int, places: Sequence[RecordMetadata | None]) -> None:
        """Write down what became of what was sent."""
        for op, place in enumerate(places, start=first):
            if place is None:
                self.unknown += 1
                self._write(type="unknown", op=op)
            else:
                self.acknowledged += 1
                self._write(type="ok", op=op, partition=place.partition, offset=place.offset)
        self._ledger.flush()

    def _write(self, **line: object) -> None:
        self._ledger.write(orjson.dumps(line | {"at_ns": time.monotonic_ns()}) + b"\n")

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


def _place(future: asyncio.Future[RecordMetadata]) -> RecordMetadata | None:
    """Where Kafka has put it; none when it has not said so."""
    is_told = future.done() and not future.cancelled() and future.exception() is None
    return future.result() if is_told else None
