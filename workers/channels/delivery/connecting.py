"""What operators do with pages: give a page its token, say how it is used."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from config.errors import UsageError
from config.section import is_sendable
from schemas.ids import channel_of
from schemas.receipts import DeliveryReason
from workers.channels.delivery.page_rows import NOTIFY, TELL_WAITING
from workers.channels.delivery.vault import Vault
from workers.runtime.handler import Connection

CHANNELS = ("messenger", "zalo", "fchat")
MENDED: tuple[DeliveryReason, ...] = ("not_connected", "token_broken")
"""Why a page was paused that goes on with another token."""

# Another token mends what is broken, and what waits is sent; should it be no better, the next refusal tells.
CONNECT = """
INSERT INTO delivery_page AS page (page_id, workspace_id, app, access_token, refresh_token, token_version,
    token_at, token_ends_at, refresh_at)
SELECT page_id, workspace_id, $2, $3, $4, 1, now(), now() + $5::interval,
    CASE WHEN $4::bytea IS NULL THEN NULL ELSE now() + $6::interval END
FROM page_registry WHERE page_id = $1
ON CONFLICT (page_id) DO UPDATE SET workspace_id = excluded.workspace_id, app = excluded.app,
    access_token = excluded.access_token, refresh_token = excluded.refresh_token,
    token_version = page.token_version + 1, token_at = now(), token_ends_at = excluded.token_ends_at,
    refresh_at = excluded.refresh_at, refreshing_until = NULL, refresh_failures = 0,
    resume_at = now(), paused = CASE WHEN NOT page.paused = ANY($7) THEN page.paused END,
    paused_at = CASE WHEN NOT page.paused = ANY($7) THEN page.paused_at END
RETURNING paused
"""
SET = """
UPDATE delivery_page SET too_long = coalesce($2, too_long), human_agent = coalesce($3, human_agent),
    pays = coalesce($4, pays)
WHERE page_id = $1
"""


class Tokens(NamedTuple):
    """What a platform gave for a page. Secrets."""

    access: str
    refresh: str | None = None
    app: str | None = None
    life: timedelta | None = None
    """How long the access token is good for; none: for ever, as far as is known."""


async def connect_page(connection: Connection, vault: Vault, page: str, tokens: Tokens) -> None:
    """Keep a page's tokens, encrypted; from then on its messages are sent.

    Raises UsageError when no workspace has the page, nothing can be sent on its channel, or it is no token.
    """
    if channel_of(page) not in CHANNELS:
        raise UsageError(f"{page}: messages are sent on {', '.join(CHANNELS)} only")
    if not is_sendable(tokens.access + (tokens.refresh or "")):
        raise UsageError("the token has characters that no token has: not ASCII, or a line's end within it")
    refresh = None if tokens.refresh is None else vault.seal(tokens.refresh)
    # Exchanged at once: what somebody has typed in may be old.
    soon = timedelta(0)
    given = tokens.app, vault.seal(tokens.access), refresh, tokens.life, soon
    row = await connection.fetchrow(CONNECT, page, *given, MENDED)
    if row is None:
        raise UsageError(
            f"no workspace has the page {page}: name it in a workspace file, `tongdai apply` that"
        )
    if row["paused"] is None:
        await connection.execute(TELL_WAITING, page, None)
    await connection.execute(NOTIFY)


async def set_page(
    connection: Connection, page: str, *, too_long: str | None, human_agent: bool | None, pays: bool | None
) -> None:
    """Say how a page is used; what is none stays. Raises UsageError when it is not connected."""
    if await connection.execute(SET, page, too_long, human_agent, pays) != "UPDATE 1":
        raise UsageError(f"the page {page} is not connected: `tongdai pages connect {page}`")
