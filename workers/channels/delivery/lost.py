"""Attempts that nobody will end: their worker was killed between the call and its answer."""

from __future__ import annotations

from datetime import timedelta

from config.delivery import DeliverySettings
from workers.runtime.handler import Connection

LOST_MAX = 3
"""Whoever was killed may not have called: so often it does not use up that a part is given once more."""
LOST = """
UPDATE delivery SET state = 'unknown', reason = 'no_answer', due_at = now() + $2::interval,
    resent = lost >= $3, lost = lost + 1, version = version + 1, told = false, changed_at = now()
WHERE state = 'sending' AND attempted_at < now() - $1::interval
"""


def fresh_s(settings: DeliverySettings) -> float:
    """A claim that is older is given back: its worker was frozen, and another may have given up on it."""
    return settings.request_timeout_s / 2


def lost_after_s(settings: DeliverySettings) -> float:
    """An attempt that is older has no worker any more: fresh, called, answered and stored takes no longer."""
    return fresh_s(settings) + 2 * settings.request_timeout_s


async def find_lost(connection: Connection, settings: DeliverySettings) -> int:
    """Mark attempts without a worker as unknown, until their echo tells or the wait for it is over."""
    wait = timedelta(seconds=settings.echo_wait_s)
    status = await connection.execute(LOST, timedelta(seconds=lost_after_s(settings)), wait, LOST_MAX)
    return int(status.rsplit(" ", 1)[-1])
