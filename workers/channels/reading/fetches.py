"""Fetching older messages, as page admins and operators ask for it and see it go on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from workers.runtime.handler import Connection

FETCHES_MAX = 100
"""Shown of one page, the last asked for first."""
EVERYBODY = ""
"""As the user of a fetch: of all customers of the page."""

_COLUMNS = """
    errand.page_id, errand.user_id, errand.state, coalesce(page.paused, errand.reason) AS reason,
    errand.found, errand.left_out, errand.asked_by, errand.asked_at, errand.changed_at
"""
# Asked for anew it begins from the start, and who still reads for it changes nothing; while it is under way,
# that goes on.
START = """
INSERT INTO delivery_errand AS errand (
    workspace_id, page_id, user_id, what, state, due_at, asked_by, asked_at, changed_at)
VALUES ($1, $2, $3, 'history', 'waiting', now(), $4, now(), now())
ON CONFLICT (workspace_id, page_id, user_id, what) DO UPDATE SET
    state = 'waiting', reason = NULL, place = '{}', found = 0, left_out = 0, failures = 0,
    attempt = errand.attempt + 1, due_at = now(), asked_by = excluded.asked_by, asked_at = now(),
    changed_at = now()
WHERE errand.state <> 'waiting'
"""
STOP = """
UPDATE delivery_errand SET state = 'stopped', changed_at = now()
WHERE workspace_id = $1 AND page_id = $2 AND user_id = $3 AND what = 'history' AND state = 'waiting'
"""
READ = f"""
SELECT {_COLUMNS} FROM delivery_errand errand
LEFT JOIN delivery_page page ON page.page_id = errand.page_id AND errand.state = 'waiting'
WHERE errand.workspace_id = $1 AND errand.page_id = $2 AND errand.user_id = $3 AND errand.what = 'history'
"""  # noqa: S608  columns of this module
LIST = f"""
SELECT {_COLUMNS} FROM delivery_errand errand
LEFT JOIN delivery_page page ON page.page_id = errand.page_id AND errand.state = 'waiting'
WHERE errand.workspace_id = $1 AND errand.page_id = $2 AND errand.what = 'history'
ORDER BY errand.asked_at DESC LIMIT $3
"""  # noqa: S608  columns of this module


class Fetch(NamedTuple):
    """How the fetching of older messages stands."""

    page: str
    user: str
    """With whom, by the channel's id; empty: with everybody."""
    state: Literal["waiting", "done", "failed", "stopped"]
    reason: str | None
    """Why it waits longer than usual, or has failed; words as those of deliveries."""
    found: int
    """Messages that were read so far; those that were there already among them."""
    left_out: int
    """Conversations of everybody's that the channel did not give; the others were read."""
    asked_by: str
    asked_at: datetime
    changed_at: datetime


async def start(connection: Connection, workspace: str, page: str, user: str, by: str) -> Fetch | None:
    """Have older messages fetched; returns how that stands."""
    await connection.execute(START, workspace, page, user, by)
    return await read(connection, workspace, page, user)


async def stop(connection: Connection, workspace: str, page: str, user: str) -> Fetch | None:
    """Fetch no more; what was read stays. None: nobody has asked for it."""
    await connection.execute(STOP, workspace, page, user)
    return await read(connection, workspace, page, user)


async def read(connection: Connection, workspace: str, page: str, user: str) -> Fetch | None:
    """How it stands; none: nobody has asked for it."""
    row = await connection.fetchrow(READ, workspace, page, user)
    return None if row is None else _fetch(row)


async def read_all(connection: Connection, workspace: str, page: str) -> list[Fetch]:
    """All of a page, the last asked for first."""
    return [_fetch(row) for row in await connection.fetch(LIST, workspace, page, FETCHES_MAX)]


def _fetch(row: Mapping[str, Any]) -> Fetch:
    return Fetch(*row.values())
