"""The rows of what is to be read: asked for by the lane, agents and operators, each run by one worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson

from workers.channels.reading.place import Place, from_json, to_json
from workers.runtime.handler import Connection

What = Literal["profile", "history"]

# A row that is there already and is not due again says that the channel was asked lately.
ASK_PROFILES = """
INSERT INTO delivery_errand AS errand (
    workspace_id, page_id, user_id, what, state, due_at, asked_at, changed_at)
SELECT DISTINCT workspace_id, page_id, user_id, 'profile', 'waiting', now(), now(), now()
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (workspace_id, page_id, user_id)
ON CONFLICT (workspace_id, page_id, user_id, what) DO UPDATE SET
    state = 'waiting', reason = NULL, failures = 0, due_at = now(), asked_at = now(), changed_at = now()
WHERE errand.state <> 'waiting' AND errand.changed_at < now() - $4::interval
"""
# One errand of each page at a time, as fast as its API may be read; profiles go first. A page whose token is
# not good, or whose app is left alone, waits.
CLAIM = """
WITH pages AS (
    SELECT page_id, app, access_token, token_version, split_part(page_id, ':', 1) || ':' || app AS app_key,
        refresh_at IS NOT NULL AND token_at < now() - interval '60 seconds' AS renewable
    FROM delivery_page page
    WHERE access_token IS NOT NULL AND paused IS NULL AND (read_at IS NULL OR read_at <= now())
        AND EXISTS (
            SELECT FROM delivery_errand errand
            WHERE errand.page_id = page.page_id AND errand.state = 'waiting' AND errand.due_at <= now())
        AND NOT EXISTS (
            SELECT FROM delivery_app app
            WHERE app.app = split_part(page.page_id, ':', 1) || ':' || page.app AND app.resume_at > now())
    LIMIT $1 FOR UPDATE SKIP LOCKED
), next AS (
    SELECT pages.*, first.workspace_id, first.user_id, first.what
    FROM pages CROSS JOIN LATERAL (
        SELECT workspace_id, user_id, what FROM delivery_errand errand
        WHERE errand.page_id = pages.page_id AND errand.state = 'waiting' AND errand.due_at <= now()
        ORDER BY what DESC, due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS first
), paced AS (
    UPDATE delivery_page page
    SET read_at = now() + make_interval(secs => ($2::json ->> split_part(page.page_id, ':', 1))::float8)
    FROM next WHERE page.page_id = next.page_id
), counted AS (
    UPDATE delivery_app app SET tokens = tokens - 1 FROM next WHERE app.app = next.app_key
)
UPDATE delivery_errand errand SET attempt = attempt + 1, due_at = now() + $3::interval
FROM next
WHERE errand.workspace_id = next.workspace_id AND errand.page_id = next.page_id
    AND errand.user_id = next.user_id AND errand.what = next.what
RETURNING errand.workspace_id, errand.page_id, errand.user_id, errand.what, errand.place, errand.attempt,
    errand.failures, errand.asked_at, next.app, next.access_token, next.token_version, next.renewable
"""
# The number of the attempt is the fence: who was frozen, or whose errand was stopped, changes nothing.
_ITS = """
WHERE workspace_id = $1 AND page_id = $2 AND user_id = $3 AND what = $4 AND attempt = $5
    AND state = 'waiting'
"""
GO_ON = f"""
UPDATE delivery_errand SET state = $6, place = $7, found = found + $8, failures = 0, reason = NULL,
    due_at = now(), changed_at = now() {_ITS}
"""  # noqa: S608  a condition of this module
FAIL = f"""
UPDATE delivery_errand SET state = $6, reason = $7, failures = failures + 1, due_at = now() + $8::interval,
    changed_at = now() {_ITS}
"""  # noqa: S608  a condition of this module
LATER = f"UPDATE delivery_errand SET due_at = now() + $6::interval {_ITS}"  # noqa: S608  a condition of this module
SLOW_DOWN = "UPDATE delivery_page SET read_at = now() + $2::interval WHERE page_id = $1"
EXPIRE = """
UPDATE delivery_page SET refresh_at = now(), read_at = now() + interval '5 seconds'
WHERE page_id = $1 AND token_version = $2
"""


class Errand(NamedTuple):
    """What is to be read now, under this attempt's number. A secret, encrypted, is in it."""

    workspace: str
    page: str
    user: str
    what: What
    place: Place | None
    """None: nothing was read yet."""
    attempt: int
    failures: int
    asked_at: datetime
    app: str | None
    access_token: bytes
    token_version: int
    renewable: bool

    @property
    def name(self) -> tuple[str, str, str, str, int]:
        """What its row is found by."""
        return self.workspace, self.page, self.user, self.what, self.attempt


async def ask_profiles(
    connection: Connection, wanted: Sequence[tuple[str, str, str]], every: timedelta
) -> None:
    """Have customers (workspace, page, user) looked up who were not within `every`."""
    if wanted:
        await connection.execute(ASK_PROFILES, *map(list, zip(*wanted, strict=True)), every)


async def claim(
    connection: Connection, limit: int, rates_per_s: Mapping[str, float], lease: timedelta
) -> list[Errand]:
    """Take what may be read now, of up to `limit` pages; `rates_per_s`: calls for one page, by channel."""
    gaps_s = {channel: 1 / rate for channel, rate in rates_per_s.items()}
    rows = await connection.fetch(CLAIM, limit, orjson.dumps(gaps_s).decode(), lease)
    return [_errand(row) for row in rows]


async def go_on(connection: Connection, errand: Errand, place: Place | None, found: int) -> bool:
    """Store how far it has come; false: it was stopped, or somebody else has it."""
    is_done = place is None or place.is_end
    stored = "{}" if place is None else orjson.dumps(to_json(place)).decode()
    status = await connection.execute(GO_ON, *errand.name, "done" if is_done else "waiting", stored, found)
    return bool(status == "UPDATE 1")


async def fail(connection: Connection, errand: Errand, reason: str, again_s: float | None) -> None:
    """It did not work: it is tried again after so many seconds, or never."""
    state = "failed" if again_s is None else "waiting"
    await connection.execute(FAIL, *errand.name, state, reason, timedelta(seconds=again_s or 0))


async def later(connection: Connection, errand: Errand, seconds: float) -> None:
    """It was not done, through no fault of its own."""
    await connection.execute(LATER, *errand.name, timedelta(seconds=seconds))


async def slow_down(connection: Connection, errand: Errand, seconds: float) -> None:
    """Leave the page's API alone for a while."""
    await connection.execute(SLOW_DOWN, errand.page, timedelta(seconds=seconds))


async def expire(connection: Connection, errand: Errand) -> None:
    """The page's token is not valid any more: have it exchanged, unless it was meanwhile."""
    await connection.execute(EXPIRE, errand.page, errand.token_version)


def _errand(row: Mapping[str, Any]) -> Errand:
    place = orjson.loads(row["place"])
    return Errand(
        row["workspace_id"],
        row["page_id"],
        row["user_id"],
        row["what"],
        from_json(place) if place else None,
        row["attempt"],
        row["failures"],
        row["asked_at"],
        row["app"],
        row["access_token"],
        row["token_version"],
        bool(row["renewable"]),
    )
