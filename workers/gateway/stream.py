"""Passes notifications on: to those who are here, and to who comes back what he missed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aiokafka.errors import KafkaError

from config.logging import get_logger
from workers.gateway.connection import Connection
from workers.gateway.hub import Hub
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.notices import Noted, Recipients, noted, push, recipients, workspace_of
from workers.gateway.positions import decode, encode
from workers.gateway.recent import Recent
from workers.gateway.replay import Replay, TooOldError
from workers.gateway.roster import Rosters
from workers.gateway.tail import Record

AHEAD_MAX = 10_000
"""A client may have seen more than this gateway by so many; more, and it speaks of another topic, or this
gateway has stood still."""

_log = get_logger(__name__)


class Stream:
    """Passes notifications on, once and in order.

    A client's event id says the next offset of each partition: all that stands before it was sent to the
    client, or was not meant for it.
    """

    def __init__(self, hub: Hub, rosters: Rosters, replay: Replay, metrics: GatewayMetrics) -> None:
        self._hub = hub
        self._rosters = rosters
        self._replay = replay
        self._metrics = metrics
        self._positions: list[int] = []
        self._recent = Recent([])

    @property
    def position(self) -> str:
        """The event id of now."""
        return encode(self._positions)

    def start(self, offsets: Sequence[int]) -> None:
        """Begin at these offsets, one of each partition."""
        self._positions = list(offsets)
        self._recent = Recent(offsets)

    def forget(self) -> None:
        """Let go of what the topic keeps no longer, also when nothing comes and nobody comes back."""
        self._recent.forget()

    async def take(self, records: Sequence[Record]) -> None:
        """Pass on what was committed. Raises what Postgres raises: the same may be given again then."""
        for record in records:
            if record.offset < self._positions[record.partition]:
                continue  # passed on before an interruption
            one = noted(record)
            found = None if one is None else await self._recipients(one)
            # From here on nothing waits: who joins meanwhile is either before this one or behind it.
            self._positions[record.partition] = record.offset + 1
            if one is not None and found is not None:
                self._recent.add(one)
                self._pass_on(one, found)

    async def join(self, connection: Connection, last_event_id: str | None) -> None:
        """Bring a connection up to date: `ready` tells it where it stands, `reset` to load its lists anew."""
        since = await self._since(last_event_id)
        to = tuple(self._positions)
        connection.held = []
        if since is not None:
            connection.ahead = {
                number: offset for number, offset in enumerate(since) if offset > self._positions[number]
            }
        self._hub.add(connection)
        how = "new" if last_event_id is None else "reset"
        position = list(to)
        if since is not None:
            position = [max(pair) for pair in zip(since, to, strict=True)]
            try:
                how = await self._catch_up(connection, since, to)
            except (TooOldError, KafkaError, TimeoutError) as error:
                _log.info("cannot_resume", why=error, agent=connection.identity.agent)
        if last_event_id is not None:
            self._metrics.resumed.labels(how).inc()
        event = "reset" if how == "reset" else "ready"
        connection.send(push(event, encode(position), "{}"))
        connection.release()

    async def _since(self, last_event_id: str | None) -> tuple[int, ...] | None:
        """From where a client wants to go on; none: it does not say so, or speaks of another topic."""
        if last_event_id is None:
            return None
        try:
            since = decode(last_event_id)
        except ValueError:
            return None
        is_ours = len(since) == len(self._positions) and await self._reaches(since)
        return since if is_ours else None

    async def _reaches(self, since: Sequence[int]) -> bool:
        """Whether the topic goes so far; Kafka is asked where that is much further than this gateway is."""
        if all(theirs <= ours + AHEAD_MAX for theirs, ours in zip(since, self._positions, strict=True)):
            return True
        try:
            ends = await self._replay.ends(len(since))
        except (KafkaError, TimeoutError) as error:
            _log.info("ends_not_known", why=error)
            return False
        return all(theirs <= end for theirs, end in zip(since, ends, strict=True))

    async def _catch_up(self, connection: Connection, since: Sequence[int], to: Sequence[int]) -> str:
        """Send what the connection has missed between these offsets."""
        in_memory = self._recent.has_all_since(since)
        found = self._remembered(since, to) if in_memory else self._replay.read(since, to)
        position = list(since)
        async for one in found:
            position[one.partition] = one.offset + 1
            if self._hub.is_reached(connection, await self._recipients(one)):
                connection.send(push(one.kind, encode(position), one.value))
                await connection.until_room()
        return "memory" if in_memory else "kafka"

    async def _remembered(self, since: Sequence[int], to: Sequence[int]) -> AsyncIterator[Noted]:
        for one in self._recent.since(since):
            if one.offset < to[one.partition]:
                yield one

    async def _recipients(self, one: Noted) -> Recipients:
        return recipients(one, await self._rosters.of(workspace_of(one)))

    def _pass_on(self, one: Noted, found: Recipients) -> None:
        text: str | None = None
        count = 0
        for connection in self._hub.reached(found):
            if connection.ahead:
                self._pass_on_ahead(connection, one)
                continue
            text = text or push(one.kind, encode(self._positions), one.value)
            connection.notify(text)
            count += 1
        self._metrics.pushed.inc(count)

    def _pass_on_ahead(self, connection: Connection, one: Noted) -> None:
        """To who has seen more than this gateway in some partition: nothing twice, and an id of his own."""
        seen = one.offset < connection.ahead.get(one.partition, 0)
        connection.ahead = {
            number: offset for number, offset in connection.ahead.items() if offset > self._positions[number]
        }
        if not seen:
            position = [
                max(ours, connection.ahead.get(number, 0)) for number, ours in enumerate(self._positions)
            ]
            connection.notify(push(one.kind, encode(position), one.value))
