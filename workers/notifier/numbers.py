"""The numbers that an agent sees, read from the counters: workers.notifier.places says what they mean."""

from __future__ import annotations

from typing import NamedTuple

from workers.notifier.places import HELD, UNHELD, Bucket, Viewer, with_agent
from workers.runtime.handler import Connection

# `held` less his own is what he watches: pages have few rows for it, however many agents they have.
NUMBERS = """
SELECT bucket, split_part(page_id, ':', 1) AS channel,
       sum(sign * conversations)::int AS conversations, sum(sign * unread)::int AS unread
FROM (
    SELECT CASE WHEN page_id = ANY($4) THEN 'mine' ELSE 'assigned' END AS bucket, 1 AS sign, c.*
    FROM inbox_counter c WHERE workspace_id = $1 AND place = $2
    UNION ALL
    SELECT 'watching', -1, c.* FROM inbox_counter c
    WHERE workspace_id = $1 AND place = $2 AND page_id = ANY($4)
    UNION ALL
    SELECT CASE place WHEN $5 THEN 'watching' ELSE 'unclaimed' END, 1, c.* FROM inbox_counter c
    WHERE workspace_id = $1 AND place IN ($5, $6) AND page_id = ANY($4)
    UNION ALL
    SELECT 'unclaimed', 1, c.* FROM inbox_counter c
    WHERE workspace_id = $1 AND place = ANY($3) AND page_id <> ALL($4)
) AS counted
GROUP BY bucket, channel
HAVING sum(sign * conversations) <> 0
ORDER BY bucket, channel
"""


class Number(NamedTuple):
    """What one channel has in one bucket. All buckets together are what the agent sees (Tất cả)."""

    bucket: Bucket
    channel: str
    conversations: int
    unread: int
    """Messages."""


async def read_numbers(connection: Connection, workspace: str, viewer: Viewer) -> list[Number]:
    """The numbers of `viewer`; what is empty is left out."""
    audiences, pages = sorted(viewer.audiences), sorted(viewer.pages)
    rows = await connection.fetch(
        NUMBERS, workspace, with_agent(viewer.agent), audiences, pages, HELD, UNHELD
    )
    return [Number(*row) for row in rows]
