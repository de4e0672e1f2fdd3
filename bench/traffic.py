"""Sends at a steady rate, and remembers when Kafka took each message in."""

from __future__ import annotations

import asyncio
from time import monotonic
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from bench.crowd import Crowd
from config.settings import Settings
from config.topics import INBOUND

TICK_S = 0.005
LINGER_MS = 5
"""At most 200 requests a second. Costs no latency, which counts from the log's append."""


class Traffic:
    """`appended_ms` has the log's time of each message by its number, in milliseconds since 1970."""

    def __init__(self, settings: Settings, crowd: Crowd) -> None:
        self._crowd = crowd
        self._topic = INBOUND.full_name(settings.kafka.topic_prefix)
        self._producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all", linger_ms=LINGER_MS)
        self.appended_ms: dict[int, int] = {}
        self.first_of: dict[str, int] = {}
        """The number of each conversation's first message, by its key."""

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    @property
    def sent(self) -> int:
        """How many messages there are so far; the next one has this number."""
        return self._crowd.count

    async def send(self, rate: float, seconds: float) -> None:
        """Send `rate` messages a second for so long, evenly, and wait until Kafka has them all."""
        begun = monotonic()
        sending: list[asyncio.Future[RecordMetadata]] = []
        while (elapsed := monotonic() - begun) < seconds:
            due = int(elapsed * rate) - len(sending)
            sending += [await self._send_next() for _ in range(due)]
            await asyncio.sleep(TICK_S)
        await asyncio.gather(*sending)

    async def _send_next(self) -> asyncio.Future[RecordMetadata]:
        number, said = self._crowd.next()
        if said.opens:
            self.first_of[said.key.decode()] = number
        future: asyncio.Future[RecordMetadata] = await self._producer.send(
            self._topic, value=said.value, key=said.key, headers=said.headers
        )
        future.add_done_callback(lambda done: self._note(number, done))
        return future

    def _note(self, number: int, done: asyncio.Future[RecordMetadata]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.appended_ms[number] = done.result().timestamp
