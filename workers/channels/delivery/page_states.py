"""How pages fare, for operators: what goes out, what does not, and since when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from schemas.base import OUR_CHANNELS
from workers.channels.delivery.connecting import CHANNELS
from workers.channels.delivery.handler import READERS
from workers.runtime.handler import Connection

SILENT_AFTER = timedelta(minutes=10)
"""A connector that has told nothing of an answer for so long is said to be silent."""

# A page that waits for its token has a row once it was answered for, and is known to the registry before.
LIST = """
SELECT page_id, coalesce(registry.workspace_id, page.workspace_id) AS workspace_id, page.app, CASE
        WHEN page.page_id IS NULL AND split_part(page_id, ':', 1) = ANY($2) THEN 'not_connected'
        ELSE page.paused END AS paused,
    page.paused_at, page.resume_at, coalesce(page.failures, 0) AS failures, page.token_ends_at,
    coalesce(page.refresh_failures, 0) AS refresh_failures, coalesce(page.too_long, 'split') AS too_long,
    coalesce(page.human_agent, false) AS human_agent, coalesce(page.pays, false) AS pays,
    queued.waiting, CASE
        WHEN split_part(page_id, ':', 1) <> ALL($3) AND queued.since < now() - $4::interval THEN queued.since
        END AS silent_since
FROM page_registry registry FULL JOIN delivery_page page USING (page_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(changed_at) AS since
    FROM delivery d WHERE d.page_id = coalesce(registry.page_id, page.page_id) AND d.state = 'queued') queued
WHERE ($1::text IS NULL OR coalesce(registry.workspace_id, page.workspace_id) = $1)
    AND split_part(page_id, ':', 1) <> ALL($5)
ORDER BY workspace_id, page_id
"""


class PageState(NamedTuple):
    """How a page fares."""

    page: str
    workspace: str
    app: str | None
    paused: str | None
    paused_at: datetime | None
    resume_at: datetime | None
    failures: int
    token_ends_at: datetime | None
    refresh_failures: int
    too_long: str
    human_agent: bool
    pays: bool
    waiting: int
    silent_since: datetime | None
    """Of a connector's: so long it has told nothing of the oldest answer that it was given."""


async def list_pages(connection: Connection, workspace: str | None) -> list[PageState]:
    """All pages of one workspace, or of all, whose answers are given to a channel."""
    ours = sorted(OUR_CHANNELS)
    rows: list[Any] = await connection.fetch(LIST, workspace, CHANNELS, ours, SILENT_AFTER, sorted(READERS))
    return [PageState(*row) for row in rows]
