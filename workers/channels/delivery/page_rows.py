"""The rows of pages and apps: whether and how fast may be sent, and what stops it."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from schemas.receipts import DeliveryReason
from workers.channels.delivery.bucket import Bucket
from workers.channels.delivery.message_rows import MAY_GO
from workers.runtime.handler import Connection

DUE_PAGES = f"""
SELECT page.page_id
FROM delivery_page page, LATERAL (
    SELECT FROM delivery d WHERE d.page_id = page.page_id AND {MAY_GO} LIMIT 1) AS one
WHERE (resume_at <= now() OR (resume_at IS NULL AND paused IS NULL))
    AND NOT EXISTS (
        SELECT FROM delivery_app app
        WHERE app.app = split_part(page.page_id, ':', 1) || ':' || page.app AND app.resume_at > now())
"""  # noqa: S608  conditions of a module
_LOCK_PAGE = """
SELECT page_id, workspace_id, app, access_token, token_version, too_long, human_agent, pays, paused, failures,
    refresh_at IS NOT NULL AND token_at < now() - interval '60 seconds' AS renewable,
    tokens, extract(epoch FROM now() - counted_at)::float8 AS since_s
FROM delivery_page
WHERE page_id = $1 AND (resume_at <= now() OR (resume_at IS NULL AND paused IS NULL))
FOR UPDATE
"""
_LOCK_APP = """
SELECT tokens, extract(epoch FROM now() - counted_at)::float8 AS since_s FROM delivery_app
WHERE app = $1 AND (resume_at IS NULL OR resume_at <= now()) FOR UPDATE
"""
_MAKE_APP = "INSERT INTO delivery_app (app) VALUES ($1) ON CONFLICT DO NOTHING"
_COUNT_PAGE = """
UPDATE delivery_page SET tokens = $2, counted_at = now(),
    resume_at = CASE WHEN paused IS NULL THEN NULL ELSE now() + $3::interval END
WHERE page_id = $1
"""
_COUNT_APP = "UPDATE delivery_app SET tokens = $2, counted_at = now(), resume_at = NULL WHERE app = $1"
_CALM = """
UPDATE delivery_page SET failures = 0, paused = NULL, paused_at = NULL, resume_at = NULL, found_with = $2
WHERE page_id = $1 AND (failures > 0 OR paused IS NOT NULL OR resume_at IS NOT NULL)
RETURNING (SELECT paused FROM delivery_page WHERE page_id = $1) AS paused
"""
# Calls that were under way together tell of the same trouble: it counts once.
_TROUBLE_PAGE = """
UPDATE delivery_page SET failures = failures + (failures = $3)::int,
    resume_at = greatest(coalesce(resume_at, now()), now() + $2::interval)
WHERE page_id = $1
"""
_TROUBLE_APP = "UPDATE delivery_app SET resume_at = now() + $2::interval WHERE app = $1"
_PAUSE = """
UPDATE delivery_page SET paused_at = CASE WHEN paused = $2 THEN paused_at ELSE now() END, paused = $2,
    resume_at = now() + $3::interval, found_with = $5
WHERE page_id = $1 AND token_version = $4
RETURNING (SELECT paused FROM delivery_page WHERE page_id = $1) AS before
"""
# Whoever waits is told why. In no order: rows that somebody works on tell by themselves.
TELL_WAITING = """
WITH waiting AS (
    SELECT workspace_id, message_id FROM delivery
    WHERE page_id = $1 AND state = 'queued' AND reason IS DISTINCT FROM $2::text
    LIMIT 5000 FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET reason = $2, version = version + 1, told = false, changed_at = now()
FROM waiting WHERE d.workspace_id = waiting.workspace_id AND d.message_id = waiting.message_id
"""
_UNTRIED = "UPDATE delivery_page SET resume_at = now() WHERE page_id = $1 AND paused IS NOT NULL"
_EXPIRE = """
UPDATE delivery_page SET refresh_at = now(), resume_at = now() + interval '5 seconds'
WHERE page_id = $1 AND token_version = $2
"""
NOTIFY = "SELECT pg_notify('tongdai_delivery', '')"
CHANNEL = "tongdai_delivery"


class Page(NamedTuple):
    """A page that may be sent for now."""

    id: str
    workspace: str
    app: str | None
    access_token: bytes | None
    token_version: int
    renewable: bool
    """Whether another token can be had for this one, which is not quite new."""
    too_long: str
    human_agent: bool
    pays: bool
    paused: str | None
    """Why it is paused: one message may be tried."""
    failures: int
    bucket: Bucket

    @property
    def app_key(self) -> str | None:
        """The key of its app's row."""
        return None if self.app is None else f"{self.id.partition(':')[0]}:{self.app}"


async def due_pages(connection: Connection) -> list[str]:
    """Pages that may be sent for now, and have something to send."""
    return [row["page_id"] for row in await connection.fetch(DUE_PAGES)]


async def lock_page(connection: Connection, page: str, rate_per_s: float) -> Page | None:
    """The page for as long as the transaction lasts; none: nothing may be sent for it now."""
    row = await connection.fetchrow(_LOCK_PAGE, page)
    if row is None:
        return None
    return Page(
        row["page_id"],
        row["workspace_id"],
        row["app"],
        row["access_token"],
        row["token_version"],
        bool(row["renewable"]),
        row["too_long"],
        row["human_agent"],
        row["pays"],
        row["paused"],
        row["failures"],
        Bucket.counted(rate_per_s, row["tokens"], row["since_s"] or 0.0),
    )


async def lock_app(connection: Connection, app: str, rate_per_s: float) -> Bucket | None:
    """What the app may still send, for as long as the transaction lasts; none: nothing now."""
    await connection.execute(_MAKE_APP, app)
    row = await connection.fetchrow(_LOCK_APP, app)
    return None if row is None else Bucket.counted(rate_per_s, row["tokens"], row["since_s"] or 0.0)


async def count(connection: Connection, page: Page, page_bucket: Bucket, app_bucket: Bucket | None) -> None:
    """Store what is left of the rates. A paused page is tried, and left alone meanwhile."""
    await connection.execute(_COUNT_PAGE, page.id, page_bucket.tokens, timedelta(seconds=60))
    if app_bucket is not None:
        await connection.execute(_COUNT_APP, page.app_key, app_bucket.tokens)


async def calm(connection: Connection, page: str, message: UUID) -> str | None:
    """The channel works, as `message` has shown. Returns why the page was paused until now, if it was."""
    before = await connection.fetchval(_CALM, page, message)
    if before is not None:
        await connection.execute(TELL_WAITING, page, None)
        await connection.execute(NOTIFY)
    return None if before is None else str(before)


async def trouble(connection: Connection, page: Page, seconds: float, *, of_app: bool) -> None:
    """Leave the page alone for a while, or all pages of its app."""
    await connection.execute(_TROUBLE_PAGE, page.id, timedelta(seconds=seconds), page.failures)
    if of_app and page.app_key is not None:
        await connection.execute(_TROUBLE_APP, page.app_key, timedelta(seconds=seconds))


async def untried(connection: Connection, page: Page) -> None:
    """Nothing was given to the channel: whether a paused page works is to be tried with another message."""
    await connection.execute(_UNTRIED, page.id)


async def expire(connection: Connection, page: Page) -> None:
    """The page's token is not valid any more: have it exchanged, unless it was meanwhile."""
    await connection.execute(_EXPIRE, page.id, page.token_version)
    await connection.execute(NOTIFY)


async def pause(
    connection: Connection, page: Page, reason: DeliveryReason, seconds: float, message: UUID
) -> bool:
    """Send nothing for the page, as `message` has shown, unless it has another token meanwhile.

    Returns whether that is new.
    """
    for_s = timedelta(seconds=seconds)
    row = await connection.fetchrow(_PAUSE, page.id, reason, for_s, page.token_version, message)
    if row is None:
        return False
    await connection.execute(TELL_WAITING, page.id, reason)
    return bool(row["before"] != reason)
