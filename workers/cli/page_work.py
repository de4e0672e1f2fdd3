"""What commands do in Postgres for the workspace that has a page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from config.errors import UsageError
from config.settings import Settings
from workers.runtime.handler import Connection
from workers.runtime.postgres import connected

WORKSPACE = "SELECT workspace_id FROM page_registry WHERE page_id = $1"
Found = TypeVar("Found")


def do_for_page(
    settings: Settings, page: str, name: str, do: Callable[[Connection, str], Awaitable[Found]]
) -> Found:
    """What `do` returns for a connection, which Postgres knows by `name`, and the page's workspace.

    Raises UsageError when no workspace has the page, DependencyDownError, and what `do` raises.
    """

    async def run() -> Found:
        async with connected(settings, name) as connection:
            workspace = await connection.fetchval(WORKSPACE, page)
            if workspace is None:
                raise UsageError(f"no workspace has the page {page}")
            return await do(connection, workspace)

    return asyncio.run(run())
