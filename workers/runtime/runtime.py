"""A runtime: one handler's lanes in this process, through terms and outages, until it is told to stop."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.settings import Settings
from config.topics import CATALOGUE
from workers.runtime.failures import (
    ConsumerCancelledError,
    DependencyDownError,
    FencedTooOftenError,
    TermEndedError,
)
from workers.runtime.groups import Groups
from workers.runtime.handler import Handler
from workers.runtime.ledger import Ledger
from workers.runtime.loop import Loop
from workers.runtime.metadata import read_metadata
from workers.runtime.metrics import FENCED, TERMS
from workers.runtime.pace import Pace
from workers.runtime.patience import Patience
from workers.runtime.postgres import DATABASE_ERRORS, lost_a_race
from workers.runtime.sessions import Sessions
from workers.runtime.source import Source
from workers.runtime.status import Status
from workers.runtime.takeover import Takeover
from workers.runtime.term import Term
from workers.runtime.topology import Topology

log = structlog.get_logger(__name__)

FENCED_MAX = 5
FENCED_WINDOW_S = 60.0
RETRY_FIRST_S = 0.2
RETRY_LAST_S = 5.0
LASTING_S = 10.0
"""A term that lasted so long was a good one: the next begins without much delay."""


async def read_topology(settings: Settings) -> Topology:
    """The partition counts and ids of our topics. Raises DependencyDownError when Kafka does not answer."""
    prefix = settings.kafka.topic_prefix
    names = {topic.name: topic.full_name(prefix) for topic in CATALOGUE}
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    try:
        async with asyncio.timeout(settings.runtime.kafka_deadline_s):
            await admin.start()
            found = await read_metadata(admin, list(names.values()))
    except (KafkaError, TimeoutError, OSError) as error:
        servers = settings.kafka.bootstrap_servers
        raise DependencyDownError(f"Kafka at {servers} does not answer: {error!r}") from error
    finally:
        await admin.close()
    known = {short: found[full] for short, full in names.items() if full in found}
    return Topology(
        prefix,
        {topic: each.partitions for topic, each in known.items()},
        {topic: str(each.id) for topic, each in known.items()},
    )


@dataclass(slots=True)
class Runtime:
    """Runs a handler over the lanes that its consumer group assigns to this process."""

    handler: Handler
    topology: Topology
    settings: Settings
    status: Status = field(init=False)
    _source: Source = field(init=False)
    _loop: Loop | None = None
    _stopped: dict[int, str] = field(default_factory=dict)
    _fenced_at: deque[float] = field(default_factory=deque)
    _patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        self.topology.lanes(self.handler.inputs)
        self.status = Status(self.handler.kind, stopped=self._stopped)
        self._source = self._new_source()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then give the lanes up and leave the group.

        Raises FencedTooOftenError, and whatever nobody foresaw: then the process should end.
        """
        await self._start_source(stopping)
        delay_s = RETRY_FIRST_S
        try:
            while not stopping.is_set():
                begun_at = monotonic()
                try:
                    await self._term(stopping)
                except ConsumerCancelledError as error:
                    log.warning("consumer_replaced", kind=self.handler.kind, error=error)
                    await self._replace_source(stopping)
                # A disk that is full lets terms begin and fail at once.
                delay_s = (
                    RETRY_FIRST_S if monotonic() - begun_at > LASTING_S else min(2 * delay_s, RETRY_LAST_S)
                )
                await _wait(stopping, delay_s * random.uniform(0.5, 1))  # noqa: S311
        finally:
            await self._source.stop()

    def _new_source(self) -> Source:
        pace = Pace(self.handler.intervals * self.settings.runtime.batch_interval_ms / 1000)
        return Source(
            self.handler.kind, self.handler.inputs, self.topology, self.settings, pace, self._release
        )

    async def _replace_source(self, stopping: asyncio.Event) -> None:
        await self._source.stop()
        self._source = self._new_source()
        await self._start_source(stopping)

    async def _start_source(self, stopping: asyncio.Event) -> None:
        async def start() -> None:
            try:
                async with asyncio.timeout(self.settings.runtime.kafka_deadline_s):
                    await self._source.start()
            except (KafkaError, TimeoutError, OSError) as error:
                raise DependencyDownError(f"Kafka does not answer: {error!r}") from error

        await self._until_up(start, stopping)

    async def _term(self, stopping: asyncio.Event) -> None:
        """One term, from its beginning to its end for whatever reason."""
        begun: list[Loop] = []

        async def begin() -> None:
            begun.append(await self._begin())

        await self._until_up(begin, stopping)
        if not begun:
            return
        self._loop = loop = begun[0]
        try:
            while not stopping.is_set():
                await loop.step(stopping)
                self._observe(loop)
            await loop.release()
        except TermEndedError as end:
            self._count(end)
        except (DependencyDownError, *DATABASE_ERRORS) as e:
            down = isinstance(e, DependencyDownError) or loop.sessions.lost(e)
            if not down and not lost_a_race(e):
                raise
            log.warning("term_lost", kind=self.handler.kind, error=e)
        finally:
            self._loop = None
            loop.abandon()
            await loop.sessions.close()
            await loop.term.end()

    async def _begin(self) -> Loop:
        # Asked anew: a topic may have been made again since this process began.
        log_ids = (await read_topology(self.settings)).ids
        if missing := [topic for topic in self.handler.inputs if topic not in log_ids]:
            raise DependencyDownError(f"Kafka has no topic {self.topology.full_name(missing[0])}")
        sessions = await Sessions.open(self.handler.kind, self.settings)
        try:
            term = await Term.begin(self.handler.kind, self.topology, self.settings)
        except BaseException:
            await sessions.close()
            raise
        TERMS.labels(self.handler.kind).inc()
        ledger = Ledger(self.handler.kind)
        groups = Groups(term.group, self.handler.inputs, self.topology, self.settings)
        takeover = Takeover(ledger, groups, self._source, self.settings, self._stopped, log_ids=log_ids)
        return Loop(
            self.handler,
            self._source,
            takeover,
            ledger,
            self.settings,
            term,
            sessions,
            self._stopped,
            log_ids,
            self._patience,
        )

    async def _release(self) -> None:
        """The group is being rebalanced."""
        if self._loop is not None:
            await self._loop.release()

    async def _until_up(self, attempt: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
        """Try until it succeeds or we are to stop, waiting longer and longer while a dependency is down."""
        delay_s = RETRY_FIRST_S
        while not stopping.is_set():
            try:
                await attempt()
            except DependencyDownError as error:
                log.warning("dependency_down", kind=self.handler.kind, error=error, retry_in_s=delay_s)
                self.status.waiting_for = str(error)
                await _wait(stopping, delay_s * random.uniform(0.5, 1))  # noqa: S311
                delay_s = min(2 * delay_s, RETRY_LAST_S)
            else:
                self.status.go_on(monotonic())
                return

    def _observe(self, loop: Loop) -> None:
        status = self.status
        assigned = self._source.assigned
        status.joined = self._source.joined
        status.awaited = frozenset(
            lane for lane in assigned if lane not in loop.lanes and lane not in self._stopped
        )
        status.lag = loop.lag
        status.moved_at = loop.moved_at
        status.beat_at = monotonic()

    def _count(self, end: TermEndedError) -> None:
        log.warning("term_ended_early", kind=self.handler.kind, reason=end.reason, fenced=end.fenced)
        if not end.fenced:
            return
        FENCED.labels(self.handler.kind).inc()
        now = monotonic()
        self._fenced_at.append(now)
        while now - self._fenced_at[0] > FENCED_WINDOW_S:
            self._fenced_at.popleft()
        if len(self._fenced_at) >= FENCED_MAX:
            raise FencedTooOftenError(
                f"{self.handler.kind} was fenced {FENCED_MAX} times within {FENCED_WINDOW_S:g} s; "
                f"the last reason: {end.reason}"
            )


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
