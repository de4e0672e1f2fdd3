"""After a fault: how long until all that lay in the logs is worked off, by workers that all take part."""

from __future__ import annotations

import asyncio
import time

import asyncpg

from faults.ground import Ground
from faults.watch import KINDS, Ends, UnseenError

RECOVERED_S = 60.0
"""So long it may take, without anybody's help."""
POLL_S = 0.5


async def recovered(ground: Ground) -> tuple[float | None, str]:
    """Seconds from now until everything is as before, or none and what was still wrong at the deadline."""
    began, ends, wrong = time.monotonic(), None, "Kafka does not answer"
    while time.monotonic() - began < RECOVERED_S:
        try:
            ends = ends or await ground.reached()
            wrong = await _wrong(ground, ends)
        except (UnseenError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            wrong = repr(error)
        if not wrong and (took := time.monotonic() - began) < RECOVERED_S:
            return round(took, 1), ""
        await asyncio.sleep(POLL_S)
    return None, wrong or "it was, a moment later"


async def _wrong(ground: Ground, ends: Ends) -> str:
    """What is not as it should be; empty when all is."""
    behind = {group: lag for group, lag in (await ground.lag(ends)).items() if lag}
    if behind:
        return f"behind: {behind}"
    owners = await ground.owners()
    for kind, kinds in KINDS.items():
        for worker in ground.fleet.of(kind):
            terms = worker.terms() if worker.alive else set()
            idle = [
                each for each in kinds if not any(owners[lane] in terms for lane in owners if lane[0] == each)
            ]
            if idle:
                return f"{worker.name} has no lane of {idle}"
    return ""
