"""Tells the desks what agents are at this gateway, and that the gateway lives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from asyncpg import Pool

from config.logging import get_logger
from schemas.asks import GatewayAlive, SetPresence
from schemas.assignments import Presence
from schemas.base import rfc3339
from schemas.catalogue import RECORDS
from schemas.envelope import headers
from schemas.ids import desk_key
from workers.channels.publisher import Publisher, UnpublishedError
from workers.channels.records import Outgoing
from workers.gateway.calls import SOURCE
from workers.gateway.presence import AgentPlace, Presences
from workers.gateway.roster import Rosters
from workers.gateway.whereabouts import DeskPlace, Told, misheard
from workers.runtime.postgres import DATABASE_ERRORS

TICK_S = 1.0
ALIVE_EVERY_S = 10.0
FORGOTTEN_AFTER_S = 25.0
"""A desk that has heard nothing for 30 s has dropped this gateway: all is told again."""
LOOK_EVERY_S = 10.0
"""What desks believe is looked at so often."""
HEARD_WITHIN_S = 15.0
"""What was told a shorter time ago may be on its way to the desk's tables."""
RECORDS_MAX = 500

_KINDS = {model: kind for kind, model in RECORDS.items()}
_log = get_logger(__name__)


class PresenceTeller:
    """Compares what agents are with what their desks were told.

    Args:
        gateway: its id, by which desks tell the gateways apart.
    """

    def __init__(
        self, gateway: str, pool: Pool, presences: Presences, rosters: Rosters, publisher: Publisher
    ) -> None:
        self._gateway = gateway
        self._pool = pool
        self._presences = presences
        self._rosters = rosters
        self._publisher = publisher
        self._due: dict[AgentPlace, Presence] = {}
        """What agents are, until it was told."""
        self._said: dict[AgentPlace, bool] = {}
        """Who says that he is away, or back, until it was told: then his desk remembers it."""
        self._told: dict[AgentPlace, Told] = {}
        self._told_s: dict[AgentPlace, float] = {}
        """When, in seconds."""
        self._looked_s = 0.0
        self._alive_s: dict[DeskPlace, float] = {}
        """When each desk was last told that the gateway lives, in seconds."""

    async def run(self) -> None:
        """Tell, until cancelled."""
        while True:
            try:
                await self.look(time.monotonic())
                await self.tell(time.monotonic())
            except (UnpublishedError, *DATABASE_ERRORS) as error:
                _log.warning("presence_waits", error=error)
            await asyncio.sleep(TICK_S)

    async def look(self, now_s: float) -> None:
        """Tell again what desks do not believe: to them this gateway was silent for too long."""
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        heard_s = now_s - HEARD_WITHIN_S
        told = {agent: told for agent, told in self._told.items() if self._told_s[agent] <= heard_s}
        for agent in await misheard(self._pool, self._gateway, told):
            _log.warning("presence_misheard", agent=agent, told=self._told.pop(agent)[1])

    async def tell(self, now_s: float) -> None:
        """Tell what has changed. Raises UnpublishedError and what Postgres raises: then it is told later."""
        self._said |= self._presences.said()
        self._due |= self._presences.now(now_s)
        self._forget_lost(now_s)
        changed = [
            SetPresence(
                workspace=desk[0],
                desk=desk[1],
                agent=agent[1],
                gateway=self._gateway,
                presence=what,
                away=self._said.get(agent),
            )
            for agent, what in self._due.items()
            if (desk := await self._desk(agent))
            and (agent in self._said or not self._knows(agent, desk, what))
        ]
        serving = {(one.workspace, one.desk) for one in changed} | {desk for desk, _ in self._told.values()}
        signs = [
            GatewayAlive(workspace=workspace, desk=desk, gateway=self._gateway)
            for workspace, desk in serving
            if now_s - self._alive_s.get((workspace, desk), -ALIVE_EVERY_S) >= ALIVE_EVERY_S
        ]
        await self._publish([*signs, *changed])
        self._alive_s |= {(one.workspace, one.desk): now_s for one in signs}
        self._note(changed, now_s)

    def _note(self, changed: Sequence[SetPresence], now_s: float) -> None:
        for one in changed:
            agent = one.workspace, one.agent
            self._told[agent] = (one.workspace, one.desk), one.presence
            self._told_s[agent] = now_s
            if one.presence == "offline":
                del self._told[agent]
        self._told_s = {agent: at_s for agent, at_s in self._told_s.items() if agent in self._told}
        self._due, self._said = {}, {}
        serving = {desk for desk, _ in self._told.values()}
        self._alive_s = {desk: at_s for desk, at_s in self._alive_s.items() if desk in serving}

    def _knows(self, agent: AgentPlace, desk: DeskPlace, what: Presence) -> bool:
        told = self._told.get(agent)
        return told == (desk, what) or (told is None and what == "offline")

    def _forget_lost(self, now_s: float) -> None:
        lost = {desk for desk, at_s in self._alive_s.items() if now_s - at_s > FORGOTTEN_AFTER_S}
        self._told = {agent: told for agent, told in self._told.items() if told[0] not in lost}

    async def _desk(self, agent: AgentPlace) -> DeskPlace | None:
        """The desk of an agent; none: he is of none, such as an admin who answers nobody."""
        desk = (await self._rosters.of(agent[0])).desk_of.get(agent[1])
        told = self._told.get(agent)
        if desk is None:
            return told[0] if told else None
        return agent[0], desk

    async def _publish(self, commands: Sequence[SetPresence | GatewayAlive]) -> None:
        for first in range(0, len(commands), RECORDS_MAX):
            await self._publisher.publish([_record(one) for one in commands[first : first + RECORDS_MAX]])


def _record(command: SetPresence | GatewayAlive) -> Outgoing:
    kind, key = _KINDS[type(command)], desk_key(command.workspace, command.desk)
    time_ = rfc3339(datetime.now(UTC))
    named = headers(kind, id_=uuid4(), source=SOURCE, subject=key, time=time_)
    return Outgoing(kind.topic, key.encode(), command.model_dump_json().encode(), named, kind.what)
