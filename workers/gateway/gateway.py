"""What one gateway consists of, and how it lives: connected, beside each other, ended in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from uuid import uuid4

import asyncpg

from config.error_text import told
from config.logging import get_logger
from config.settings import Settings
from config.topics import ACTIONS, COMMANDS
from workers.channels import glance, sighting
from workers.channels.broadcast import Broadcast
from workers.channels.glance import Glance
from workers.channels.publisher import OnFailure, Publisher
from workers.channels.rate_limit import RateLimit
from workers.files.files import open_files
from workers.gateway.attempts import forget_attempts
from workers.gateway.audit import Audit
from workers.gateway.blacklist.rows import forget_blocks
from workers.gateway.commanding import Commanding
from workers.gateway.connection import Connection
from workers.gateway.foresight import Foresight
from workers.gateway.hub import Hub
from workers.gateway.lines import Lines
from workers.gateway.lines_tail import LinesTail
from workers.gateway.looking import Looking
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.onlookers import Onlookers
from workers.gateway.presence import Presences
from workers.gateway.presence_teller import PresenceTeller
from workers.gateway.queries.pool import query_pool
from workers.gateway.queries.queries import Queries
from workers.gateway.replay import Replay
from workers.gateway.roster import Rosters
from workers.gateway.sign_in import SignIns
from workers.gateway.signing_key import signing_key
from workers.gateway.stream import Stream
from workers.gateway.tail import Tail
from workers.gateway.token_checks import TokenChecks
from workers.gateway.tokens import Tokens
from workers.gateway.verifier import OwnTokens, TokenVerifier
from workers.gateway.visitors import Visitors
from workers.gateway.waiting import Waiting
from workers.gateway.watching import Watching
from workers.runtime.postgres import DATABASE_ERRORS, new_pool
from workers.runtime.side_tasks import side_tasks
from workers.webhooks.administering import Webhooks
from workers.webhooks.signing import signing_keys

CONNECTIONS_MAX = 8
COMMAND_S = 5.0
"""For a statement: a person waits for it. A connection of which the other end is gone lasts twice as long."""
FORGET_EVERY_S = 600.0
READY_DEADLINE_S = 2.0

_log = get_logger(__name__)


class Gateway:
    """One gateway process."""

    def __init__(self, settings: Settings, on_failure: OnFailure) -> None:
        own = settings.gateway
        self.settings = own
        self.ipv6_prefix = settings.website.ipv6_prefix
        self.id = uuid4().hex
        """Of this life: presence told by an earlier one runs out by itself."""
        self.metrics = GatewayMetrics()
        self._on_failure = on_failure
        self.pool = new_pool(
            settings, "tongdai gateway", CONNECTIONS_MAX, reset=_nothing, command_timeout_s=COMMAND_S
        )
        tokens = Tokens(signing_key(settings), access_s=own.access_token_s, refresh_s=own.refresh_token_s)
        self.sign_ins = SignIns(self.pool, tokens)
        self.files = open_files(settings)
        self.verifier: TokenVerifier = OwnTokens(self.pool, tokens)
        self.audit = Audit(self.pool, self.metrics)
        self.agent_rate = RateLimit(own.agent_rate_per_s, own.agent_rate_burst, bucket=str)
        self._publisher = Publisher(
            settings.kafka, (COMMANDS, ACTIONS), own.publish_deadline_s, self.metrics, on_failure
        )
        waiting = Waiting()
        self.rosters = rosters = Rosters(self.pool)
        self.hub = Hub(own.sockets_max, own.sockets_per_agent_max)
        self._broadcast = Broadcast[Glance](
            settings,
            "tongdai gateway glances",
            glance.CHANNEL,
            partial(glance.pack, self.id),
            {glance.CHANNEL: self._hear_glances, sighting.CHANNEL: self._hear_sightings},
            self.metrics.glances_dropped.inc,
        )
        self.looking = Looking(self._broadcast.say)
        self.watching = Watching()
        self.visitors = Visitors(self.looking, self.watching)
        self._onlookers = Onlookers(self.pool, rosters, self.looking, self.watching)
        lines = Lines(self._onlookers, rosters, self.looking, self.watching)
        self.lines_tail = LinesTail(settings, lines)
        self.token_checks = TokenChecks(self.hub, self.verifier)
        self.webhooks = Webhooks(settings, signing_keys(settings))
        self.queries = Queries(query_pool(settings), rosters, self.audit, own.reads_per_agent_max)
        self.foresight = Foresight()
        self.stream = Stream(self.hub, rosters, Replay(settings), self.metrics)
        self._tail = Tail(settings, waiting, self.metrics, self.stream.start, self.stream.take)
        self._presences = Presences(idle_s=own.idle_s, grace_s=own.offline_grace_s)
        self._presence_teller = PresenceTeller(self.id, self.pool, self._presences, rosters, self._publisher)
        self.commanding = Commanding(
            self.pool,
            rosters,
            self._publisher,
            waiting,
            self.audit,
            own.outcome_deadline_s,
            self.files,
            self.visitors,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be connected, with everything that goes on beside the requests."""
        async with self.pool, self.queries.pool, self._publisher:
            work = {
                "gateway-tail": self._tail.run(),
                "gateway-lines": self.lines_tail.run(),
                "gateway-audit": self.audit.run(),
                "gateway-broadcast": self._broadcast.run(),
                "gateway-looking": self.looking.run(),
                "gateway-onlookers": self._onlookers.run(),
                "gateway-visitors": self.visitors.run(),
                "gateway-presence": self._presence_teller.run(),
                "gateway-tokens": self.token_checks.run(),
                "gateway-forgetting": self._forget(),
            }
            async with side_tasks(work, self._on_failure):
                yield

    async def problems(self) -> list[str]:
        """Why it is not ready."""
        found = []
        if not self._publisher.connected:
            found.append("Kafka is not connected, or lacks the topics commands and actions")
        if not self._tail.reading:
            found.append("outcomes and notifications are not being read")
        try:
            async with asyncio.timeout(READY_DEADLINE_S):
                await self.pool.execute("SELECT 1")
        except DATABASE_ERRORS as error:
            found.append(f"Postgres does not answer: {told(error)}")
        return found

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to Postgres that may write. Raises what Postgres raises."""
        async with self.pool.acquire() as connection:
            yield connection

    @property
    def is_serving(self) -> bool:
        """Whether connections are taken: what they would miss is being read."""
        return self._tail.reading

    @contextmanager
    def connected(self, connection: Connection, kind: str) -> Iterator[None]:
        """Count somebody's connection as long as it lasts; it joins the stream by itself."""
        place = connection.identity.workspace, connection.identity.agent or ""
        is_person = connection.identity.agent is not None
        self.metrics.sockets.labels(kind).inc()
        if is_person:
            self._presences.came(place, time.monotonic())
        try:
            yield
        finally:
            self.metrics.sockets.labels(kind).dec()
            if connection.closing is not None:
                self.metrics.cut.labels(str(connection.closing.code)).inc()
            self.hub.remove(connection)
            self.looking.leave(connection)
            self.watching.leave(connection)
            if is_person:
                self._presences.went(place, time.monotonic())

    def active(self, connection: Connection, *, away: bool | None = None) -> None:
        """The person behind a connection did something."""
        identity = connection.identity
        if identity.agent is not None:
            self._presences.active((identity.workspace, identity.agent), time.monotonic(), away=away)

    def _hear_glances(self, text: str) -> None:
        """Raises ValueError when it is none of ours."""
        gateway, glances = glance.unpack(text)
        if gateway != self.id:
            for one in glances:
                self.looking.hear(gateway, one, time.monotonic())

    def _hear_sightings(self, text: str) -> None:
        """Raises ValueError when it is none of ours."""
        ingress, sightings = sighting.unpack(text)
        for one in sightings:
            self.visitors.hear(ingress, one, time.monotonic())

    async def _forget(self) -> None:
        while True:
            self.stream.forget()
            try:
                await self.sign_ins.forget()
                await self.audit.forget()
                await forget_attempts(self.pool)
                await forget_blocks(self.pool)
            except DATABASE_ERRORS as error:
                _log.warning("forgetting_waits", error=error)
            await asyncio.sleep(FORGET_EVERY_S)


async def _nothing(_: object) -> None:
    """Nothing in a session is ever changed, so nothing has to be reset: that would be a round trip."""
