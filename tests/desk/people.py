"""What gateways tell of agents, and the timers that a desk awaits."""

from __future__ import annotations

from schemas.asks import GatewayAlive, SetPresence
from schemas.assignments import Presence
from schemas.commands import TimerFired, TimerName
from tests.desk.log import DESK, WORKSPACE
from tests.desk.scene import Scene
from workers.routing.desk.timers import timers_of_desk

GATEWAY = "g1"


def presence(
    agent: str, presence: Presence = "online", gateway: str = GATEWAY, *, away: bool | None = None
) -> SetPresence:
    """What an agent is at a gateway."""
    return SetPresence(
        workspace=WORKSPACE, desk=DESK, agent=agent, gateway=gateway, presence=presence, away=away
    )


def alive(gateway: str = GATEWAY) -> GatewayAlive:
    """A gateway's sign of life."""
    return GatewayAlive(workspace=WORKSPACE, desk=DESK, gateway=gateway)


def awaited(scene: Scene, name: TimerName) -> list[TimerFired]:
    """The timers of this name that the desk awaits, as they will come."""
    return [
        TimerFired(
            workspace=WORKSPACE, desk=DESK, timer=timer.name, subject=timer.subject, due_at=timer.due_at
        )
        for timer in timers_of_desk(scene.desk, scene.log.now)
        if timer.name == name
    ]
