"""Forgetting after thirty days which messages were seen: a walk round the table, a small piece at a time."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import timedelta

from workers.runtime.handler import Connection
from workers.runtime.upkeep import Chore

KEPT = timedelta(days=30)
"""Longer than any channel repeats itself, and than inbound is kept."""
INTERVAL_S = 30.0
LAP_S = 24 * 60 * 60.0
"""How long a walk round the table shall take: rows are kept up to so much longer."""
BLOCKS_MIN = 64
BLOCKS_MAX = 2_048
"""16 MB: a larger table than 47 GB takes longer to walk round."""

SIZE = "SELECT pg_relation_size('message_seen') / current_setting('block_size')::bigint"

# By the place of rows on disk, which needs no index. By the log's time, which `stored_at` is, and by the
# server's: one clock that is years ahead must not make us forget everything.
FORGET = """
DELETE FROM message_seen
WHERE ctid >= $1::tid AND ctid < $2::tid AND stored_at < (
    SELECT least(now(), to_timestamp(max(at_ms) / 1000.0)) FROM lane WHERE kind = 'intake') - $3::interval
"""


@dataclass(slots=True)
class Walk:
    """One worker's way round the table. It begins anywhere: else restarts would leave out the table's end."""

    at: int | None = None
    """The next block."""

    async def step(self, connection: Connection) -> int:
        """Forget what is too old in the next piece; how many rows that were."""
        blocks: int = await connection.fetchval(SIZE)
        if not blocks:
            return 0
        first, past = piece(random.randrange(blocks) if self.at is None else self.at, blocks)  # noqa: S311
        self.at = past
        status: str = await connection.execute(FORGET, (first, 0), (past, 0), KEPT)
        return int(status.rsplit(" ", 1)[-1])


def piece(at: int, blocks: int) -> tuple[int, int]:
    """The next piece for a walk at block `at` of `blocks`: its first block, and the one behind it.

    Pieces are as large as a lap in LAP_S takes, within limits.
    """
    first = at if at < blocks else 0
    length = min(max(math.ceil(blocks * INTERVAL_S / LAP_S), BLOCKS_MIN), BLOCKS_MAX)
    return first, min(first + length, blocks)


def forgetting_chore() -> Chore:
    """To be done all the time, by every worker: they do not get into each other's way."""
    return Chore("message_seen", INTERVAL_S, Walk().step)
