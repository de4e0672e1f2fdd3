"""The rows of what is to be read: asked for by the lane, agents and operators, each run by one worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson

from workers.channels.delivery.claims import UNLIMITED_PER_S
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
    state = 'waiting', reason = NULL, failures = 0, attempt = errand.attempt + 1, due_at = now(),
    asked_at = now(), changed_at = now()
WHERE errand.state <> 'waiting' AND errand.changed_at < now() - $4::interval
"""
# What is left of an app's rate by now, as a bucket counts it, and what of it is kept for answers; $4: calls a
# second of an app, by channel.
_RATE = f"coalesce(($4::json ->> split_part(app.app, ':', 1))::float8, {UNLIMITED_PER_S})"
_FULL = f"greatest({_RATE}, 1)"
_KEPT = f"least({_FULL} / 2, {_FULL} - 1)"
_LEFT = f"""
least({_FULL}, coalesce(
    app.tokens + greatest(extract(epoch FROM now() - app.counted_at)::float8, 0) * {_RATE}, {_FULL}))
"""
# One errand of each page at a time, as fast as its API may be read; profiles go first. A page whose token is
# not good, or whose app is left alone, waits. So do those for which their app's rate has no room: half of a
# second's worth is for answers alone.
CLAIM = f"""
WITH apps AS (
    SELECT app, resume_at > now() AS rests, {_LEFT} - {_KEPT} AS room
    FROM delivery_app app
), pages AS (
    SELECT page_id, page.app, access_token, token_version, app.app AS app_key,
        coalesce(room, {_FULL} - {_KEPT}) AS room,
        refresh_at IS NOT NULL AND token_at < now() - interval '60 seconds' AS renewable
    FROM delivery_page page
    CROSS JOIN LATERAL (SELECT split_part(page.page_id, ':', 1) || ':' || page.app AS app) AS app
    LEFT JOIN apps ON apps.app = app.app
    WHERE access_token IS NOT NULL AND paused IS NULL AND (read_at IS NULL OR read_at <= now())
        AND rests IS NOT TRUE AND (room IS NULL OR room >= 1)
        AND EXISTS (
            SELECT FROM delivery_errand errand
            WHERE errand.page_id = page.page_id AND errand.state = 'waiting' AND errand.due_at <= now())
    LIMIT $1 FOR UPDATE OF page SKIP LOCKED
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY app_key) AS nth FROM pages
), next AS (
    SELECT ranked.*, first.workspace_id, first.user_id, first.what
    FROM ranked CROSS JOIN LATERAL (
        SELECT workspace_id, user_id, what FROM delivery_errand errand
        WHERE errand.page_id = ranked.page_id AND errand.state = 'waiting' AND errand.due_at <= now()
        ORDER BY what DESC, due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS first
    WHERE nth <= room OR app_key IS NULL
), paced AS (
    UPDATE delivery_page page
    SET read_at = now() + make_interval(secs => ($2::json ->> split_part(page.page_id, ':', 1))::float8)
    FROM next WHERE page.page_id = next.page_id
), calls AS (
    SELECT app_key AS app, count(*) AS number FROM next WHERE app_key IS NOT NULL GROUP BY app_key
), begun AS (
    INSERT INTO delivery_app (app, tokens, counted_at)
    SELECT app, {_FULL} - number, now() FROM calls AS app ON CONFLICT DO NOTHING
), counted AS (
    UPDATE delivery_app app SET tokens = {_LEFT} - number, counted_at = now()
    FROM calls WHERE app.app = calls.app
)
UPDATE delivery_errand errand SET attempt = attempt + 1, due_at = now() + $3::interval
FROM next
WHERE errand.workspace_id = next.workspace_id AND errand.page_id = next.page_id
    AND errand.user_id = next.user_id AND errand.what = next.what
RETURNING errand.workspace_id, errand.page_id, errand.user_id, errand.what, errand.place, errand.attempt,
    errand.failures, errand.asked_at, next.app, next.access_token, next.token_version, next.renewable
"""  # noqa: S608  conditions of this module
# The number of the attempt is the fence: who was frozen, or whose errand was stopped, changes nothing.
_ITS = """
WHERE workspace_id = $1 AND page_id = $2 AND user_id = $3 AND what = $4 AND attempt = $5
    AND state = 'waiting'
"""
GO_ON = f"""
UPDATE delivery_errand SET state = $6, place = $7, found = found + $8, left_out = left_out + $9,
    failures = 0, reason = NULL, due_at = now(), changed_at = now() {_ITS}
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


class Rates(NamedTuple):
    """Calls a second, by channel."""

    of_page: Mapping[str, float]
    of_app: Mapping[str, float]
    """Of all pages of one app together, answers among them; a channel that is not here has no such limit."""


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


async def claim(connection: Connection, limit: int, rates: Rates, lease: timedelta) -> list[Errand]:
    """Take what may be read now, of up to `limit` pages."""
    gaps_s = {channel: 1 / rate for channel, rate in rates.of_page.items()}
    arguments = (orjson.dumps(gaps_s).decode(), lease, orjson.dumps(rates.of_app).decode())
    rows = await connection.fetch(CLAIM, limit, *arguments)
    return [_errand(row) for row in rows]


async def go_on(
    connection: Connection, errand: Errand, place: Place | None, found: int, left_out: int = 0
) -> bool:
    """Store how far it has come, with how many messages and conversations that the channel did not give.

    False: it was stopped, or somebody else has it.
    """
    is_done = place is None or place.is_end
    stored = "{}" if place is None else orjson.dumps(to_json(place)).decode()
    state = "done" if is_done else "waiting"
    status = await connection.execute(GO_ON, *errand.name, state, stored, found, left_out)
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
