"""Attempts that nobody will end: their worker was killed between the call and its answer."""

from __future__ import annotations

from datetime import timedelta

from config.delivery import DeliverySettings
from workers.channels.delivery.progress import Standing, settle
from workers.runtime.handler import Connection

SLACK_S = 15.0
"""Longer than a claim may be fresh and than its answer may take to be stored."""

LOST = """
UPDATE delivery SET state = 'unknown', reason = 'no_answer', due_at = now() + $2::interval,
    version = version + 1, told = false, changed_at = now()
WHERE state = 'sending' AND attempted_at < now() - $1::interval
"""
SETTLE = """
WITH due AS (
    SELECT workspace_id, message_id FROM delivery
    WHERE state = 'unknown' AND due_at <= now() ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET state = $1, reason = $2, due_at = now() + $3::interval,
    version = version + 1, told = false, changed_at = now()
FROM due WHERE d.workspace_id = due.workspace_id AND d.message_id = due.message_id
"""


def lost_after_s(settings: DeliverySettings) -> float:
    """An attempt that is older has no worker any more."""
    return settings.request_timeout_s + SLACK_S


async def find_lost(connection: Connection, settings: DeliverySettings) -> int:
    """Mark attempts without a worker as unknown, until their echo tells or the wait for it is over."""
    wait = timedelta(seconds=settings.echo_wait_s)
    status = await connection.execute(LOST, timedelta(seconds=lost_after_s(settings)), wait)
    return int(status.rsplit(" ", 1)[-1])


async def settle_unknown(connection: Connection, settings: DeliverySettings) -> int:
    """Decide what has waited long enough for its echo, by the operators' rule."""
    step = settle(Standing((), 1), settings)
    due = None if step.due_s is None else timedelta(seconds=step.due_s)
    status = await connection.execute(SETTLE, step.state, step.reason, due)
    return int(status.rsplit(" ", 1)[-1])
