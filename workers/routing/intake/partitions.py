"""The transcript's partitions, one a month: made a year ahead while the worker runs."""

from __future__ import annotations

from datetime import UTC, datetime

from workers.runtime.handler import Connection
from workers.runtime.upkeep import Chore

INTERVAL_S = 6 * 60 * 60.0

ENSURE = "SELECT ensure_message_partitions($1)"


async def make_partitions(connection: Connection, now: datetime) -> int:
    """Make those of the month of `now` and of the next twelve that are missing; how many there were.

    Does nothing while another is making them. Raises asyncpg.LockNotAvailableError when the transcript is
    read without a pause for two seconds.
    """
    return len(await connection.fetch(ENSURE, now))


def partitions_chore() -> Chore:
    """To be done all the time, by every worker."""

    async def do(connection: Connection) -> int:
        return await make_partitions(connection, datetime.now(UTC))

    return Chore("message_partitions", INTERVAL_S, do)
