"""Publishes a request's records within a deadline, or says that it is not known whether."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata
from prometheus_client import Counter, Gauge

from config.kafka import KafkaSettings
from config.logging import get_logger
from config.topics import Topic
from workers.channels.deadline import Deadline
from workers.channels.producer import start_producer
from workers.channels.records import Outgoing
from workers.runtime.ending import end_producer

RETRY_AFTER_S = 2.0
"""Who is told that something was not published may send it again then."""
RECONNECT_MIN_S, RECONNECT_MAX_S = 0.1, 2.0
CONNECT_DEADLINE_S = 5.0
GATHER_S = 0.005
"""So long after some were sent the next wait for others, to be sent in one request: each request costs us and
the broker as much as several records. Who comes alone does not wait."""

OnFailure = Callable[[BaseException], None]
"""Called with what ended the publisher's background task: the process must stop."""

_log = get_logger(__name__)


class UnpublishedError(Exception):
    """Kafka has not confirmed the records in time: whether it has them is unknown, so send them again."""


class PublisherMetrics(Protocol):
    """What a publisher tells of itself."""

    @property
    def connected(self) -> Gauge:
        """1 while there is a connected producer."""

    @property
    def producers(self) -> Counter:
        """Producers that were connected."""


class Publisher:
    """One producer for all requests; when it confirms nothing another one, connected in the background.

    `publish` may be called whenever the publisher has been entered: while there is no connected producer
    it refuses at once.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        topics: Collection[Topic],
        deadline_s: float,
        metrics: PublisherMetrics,
        on_failure: OnFailure,
    ) -> None:
        self._kafka = kafka
        self._deadline = Deadline(deadline_s)
        self._names = {topic.name: topic.full_name(kafka.topic_prefix) for topic in topics}
        self._metrics = metrics
        self._producer: AIOKafkaProducer | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._on_failure = on_failure
        self._waiting: dict[object, float] = {}
        """Since when, by what is published: the oldest first."""
        self._confirmed_s = 0.0
        """When Kafka has confirmed anything for the last time."""
        self._turn: asyncio.Event | None = None
        self._turn_s = 0.0
        """When the next may be sent, by the loop's clock."""

    @property
    def connected(self) -> bool:
        """Whether a producer is connected and knows the topics."""
        return self._producer is not None

    def waited_s(self, now_s: float) -> float:
        """How long the oldest of what waits for Kafka has, at a moment of `time.monotonic`; else 0."""
        return now_s - next(iter(self._waiting.values()), now_s)

    async def __aenter__(self) -> Self:
        self._begin(self._connect())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._connecting is not None:
            # Each of its steps has a deadline; cancelled halfway, aiokafka would leave connections behind.
            await asyncio.wait([self._connecting])
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await end_producer(producer, flush_s=self._deadline.seconds)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Send all; return once Kafka has confirmed every one (acks=all).

        Raises UnpublishedError: some may be on Kafka and some not. The sender sends them again, and the
        duplicates are known.
        """
        producer = self._producer
        if producer is None:
            raise UnpublishedError("Kafka is not connected. Send it again.")
        token, begun_s = object(), time.monotonic()
        self._waiting[token] = begun_s
        try:
            with self._deadline.wait():
                await self._send(producer, records)
            self._confirmed_s = time.monotonic()
        except (TimeoutError, KafkaError) as error:
            if self._tells_of_producer(error, begun_s):
                self._replace(producer, error)
            raise UnpublishedError("Kafka has not confirmed it in time. Send it again.") from error
        finally:
            del self._waiting[token]

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> None:
        await self._gather()
        futures: list[asyncio.Future[RecordMetadata]] = []
        try:
            for record in records:
                name = self._names[record.topic]
                sent = await producer.send(name, record.value, record.key, headers=record.headers)
                futures.append(sent)
            for future in futures:
                await future
        finally:
            for future in futures:
                # Nobody is left to ask those that come after the deadline; Kafka may have them all the same.
                _ = future.cancel() or future.cancelled() or future.exception()

    async def _gather(self) -> None:
        """Wait for one's turn, in the order of asking."""
        loop = asyncio.get_running_loop()
        if self._turn is None:
            if loop.time() >= self._turn_s:
                self._turn_s = loop.time() + GATHER_S
                return
            self._turn = asyncio.Event()
            loop.call_at(self._turn_s, self._begin_turn, self._turn)
        await self._turn.wait()

    def _begin_turn(self, turn: asyncio.Event) -> None:
        """Let all who wait send; who asks from now on takes the next turn."""
        turn.set()
        self._turn = None
        self._turn_s = asyncio.get_running_loop().time() + GATHER_S

    def _tells_of_producer(self, error: Exception, begun_s: float) -> bool:
        """Whether another producer might do better: not if one record is too large, nor while Kafka confirms.

        What waits too long while others are confirmed waits for us, who have too much to do.
        """
        if isinstance(error, TimeoutError):
            return self._confirmed_s < begun_s
        return not isinstance(error, MessageSizeTooLargeError)

    def _replace(self, producer: AIOKafkaProducer, error: Exception) -> None:
        """Give `producer` up, unless another request has done so before."""
        if self._producer is not producer:
            return
        self._producer = None
        self._metrics.connected.set(0)
        _log.warning("kafka_unanswered", error=error, deadline_s=self._deadline.seconds)
        self._begin(self._reconnect(producer))

    def _begin(self, connecting: Coroutine[Any, Any, None]) -> None:
        self._connecting = asyncio.create_task(connecting, name="publisher-connecting")
        self._connecting.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tell of an end that nobody asked for: without the task there would never be a producer again."""
        if self._closing.is_set():
            return
        if task.cancelled():
            self._on_failure(RuntimeError(f"The task {task.get_name()} was cancelled by nobody of ours."))
        elif error := task.exception():
            self._on_failure(error)

    async def _reconnect(self, former: AIOKafkaProducer) -> None:
        # The former is ended first, so that nothing of it is sent after what the next one sends.
        await end_producer(former, flush_s=self._deadline.seconds)
        await self._connect()

    async def _connect(self) -> None:
        """Try until there is a producer, or the publisher closes."""
        wait_s = RECONNECT_MIN_S
        while not self._closing.is_set():
            try:
                self._producer = await start_producer(
                    self._kafka, list(self._names.values()), CONNECT_DEADLINE_S
                )
            except (KafkaError, TimeoutError) as error:
                _log.warning("kafka_unreachable", error=error, servers=self._kafka.bootstrap_servers)
            else:
                self._metrics.producers.inc()
                self._metrics.connected.set(1)
                _log.info("kafka_connected", servers=self._kafka.bootstrap_servers)
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s * random.uniform(0.5, 1.0)):  # noqa: S311 - no secret
                    await self._closing.wait()
            wait_s = min(wait_s * 2, RECONNECT_MAX_S)
