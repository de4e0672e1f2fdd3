"""How a run ends: all is worked off, agents go, gateways go, and nothing is left to do."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from faults.crowd import Crowd, settle
from faults.ground import Ground
from faults.result import HEAL_S, QUIET_S
from faults.town import AGENTS
from faults.watch import UnseenError

DRAINED_PER_S = 500.0
"""So many records at least, however busy the machine."""
POLL_S = 0.5


async def finished(ground: Ground, crowd: Crowd) -> bool:
    """Whether everybody has gone in time; the checker speaks in any case."""
    try:
        await crowd.finish()
    except TimeoutError:
        ground.history.add("unfinished")
        return False
    return True


async def end(ground: Ground, crowd: Crowd) -> tuple[bool, list[dict[str, Any]]]:
    """Let agents and gateways go while the others work on.

    Returns whether in the end nothing was due any more, and what must hold of those outside.
    """
    outside: list[dict[str, Any]] = []
    try:
        await left(ground)
        await ground.outside_settled()
        await quiet(ground)
        ends = await ground.ends("notifications")
        for gateway in ground.fleet.of("gateway"):
            await gateway.started(QUIET_S)  # one may have been killed only just now
        await settle(list(ground.gateways.values()), AGENTS, crowd.book, ends)
        await ground.stop_gateways()
        outside = await ground.outside_checks()
        await quiet(ground)
    except (TimeoutError, UnseenError) as error:
        ground.history.add("restless", why=repr(error), stopped_lanes=await ground.stopped_lanes())
        return False, outside
    return True, outside


async def left(ground: Ground) -> None:
    """Wait until the desks know that all agents have gone. Raises TimeoutError.

    That ends the transfers that still wait for one of them, of which others are told. From then on nobody is
    told anything more, whoever comes and goes.
    """
    async with asyncio.timeout(QUIET_S):
        while await ground.present():
            await asyncio.sleep(POLL_S)
    ground.history.add("left")


async def quiet(ground: Ground) -> None:
    """Wait until all is read and nothing will be said by itself soon. Raises TimeoutError."""
    async with asyncio.timeout(QUIET_S):
        while await ground.due() or not await _is_read(ground):
            await asyncio.sleep(POLL_S)
    ground.history.add("quiet")


async def _is_read(ground: Ground) -> bool:
    """Whether the lag is zero; while Kafka does not tell, it is not known to be."""
    try:
        return not any((await ground.lag()).values())
    except UnseenError as error:
        ground.history.add("unseen", why=str(error))
        return False


async def healed(ground: Ground) -> float | None:
    """Seconds until the lag was zero for good; none when it was not within the deadline."""
    began, deadline_s = time.monotonic(), HEAL_S
    while time.monotonic() - began < deadline_s:
        try:
            lag = await ground.lag()
        except UnseenError as error:
            ground.history.add("unseen", why=str(error))
            await asyncio.sleep(POLL_S)
            continue
        if not any(lag.values()):
            return round(time.monotonic() - began, 1)
        if deadline_s == HEAL_S:
            deadline_s += lag["intake"] / DRAINED_PER_S
        ground.history.add("lag", **lag)
        await asyncio.sleep(POLL_S)
    return None
