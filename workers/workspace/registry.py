"""Reserves pages and agents in the registry, before the command that needs them goes out.

A page belongs to one workspace and desk in the whole system, an agent to one desk of his workspace.
All of a file is reserved in one transaction, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import asyncpg

from config.errors import TongdaiError
from workers.runtime.handler import Connection
from workers.workspace.workspace import Workspace

# Rows are taken in the order of their keys: two who reserve at once never wait for each other in a ring.
_ADD_PAGES = """
INSERT INTO page_registry (page_id, workspace_id, desk_id)
SELECT page, $1, desk FROM unnest($2::text[], $3::text[]) AS wanted (page, desk) ORDER BY page
ON CONFLICT (page_id) DO NOTHING RETURNING page_id
"""
_PAGES = """
SELECT page_id, workspace_id, desk_id FROM page_registry WHERE page_id = ANY ($1::text[])
ORDER BY page_id FOR UPDATE
"""
_MOVE_PAGE = """
UPDATE page_registry SET desk_id = $3 WHERE page_id = $2 AND workspace_id = $1
   AND NOT EXISTS (SELECT FROM conversation WHERE workspace_id = $1 AND page_id = $2)
"""
_ADD_AGENTS = """
INSERT INTO agent_registry (workspace_id, agent_id, desk_id)
SELECT $1, agent, desk FROM unnest($2::text[], $3::text[]) AS wanted (agent, desk) ORDER BY agent
ON CONFLICT (workspace_id, agent_id) DO UPDATE SET desk_id = excluded.desk_id
WHERE agent_registry.desk_id <> excluded.desk_id
"""
# Of a page that was given up, too: all its conversations are one desk's.
_CONVERSATIONS = """
SELECT wanted.page, found.workspace_id, found.desk_id
FROM unnest($2::text[], $3::text[]) AS wanted (page, desk)
CROSS JOIN LATERAL (
    SELECT workspace_id, desk_id FROM conversation WHERE page_id = wanted.page LIMIT 1
) AS found
WHERE found.workspace_id <> $1 OR found.desk_id <> wanted.desk ORDER BY wanted.page
"""


class ReservationError(TongdaiError):
    """A page is not to be had; the text names each and says why. Nothing was reserved."""


class Reservation(NamedTuple):
    """The pages that were free until now, by their desks."""

    pages: dict[str, str]


async def reserve(connection: Connection, workspace: Workspace) -> Reservation:
    """Reserve all pages and agents of `workspace`, inside the caller's transaction.

    Raises ReservationError when another workspace has one of the pages, or when one would change its desk
    although it has conversations.
    """
    pages = {page.id: desk.id for desk in workspace.desks for page in desk.pages}
    agents = {agent.id: desk.id for desk in workspace.desks for agent in desk.agents}
    added = await connection.fetch(_ADD_PAGES, workspace.id, list(pages), list(pages.values()))
    rows = await connection.fetch(_PAGES, list(pages))
    refused = [
        *_foreign(rows, workspace.id),
        *await _stuck(connection, rows, workspace.id, pages),
        *await _bound(connection, workspace.id, {row["page_id"]: pages[row["page_id"]] for row in added}),
    ]
    if refused:
        raise ReservationError("\n".join([f"{len(refused)} pages are not to be had:", *refused]))
    await connection.execute(_ADD_AGENTS, workspace.id, list(agents), list(agents.values()))
    return Reservation({row["page_id"]: pages[row["page_id"]] for row in added})


def _foreign(rows: list[asyncpg.Record], workspace: str) -> Iterator[str]:
    for row in rows:
        if row["workspace_id"] != workspace:
            yield (
                f"page {row['page_id']} is reserved by the workspace {row['workspace_id']}: "
                "it must give the page up first: out of its file, and tongdai pages release"
            )


async def _stuck(
    connection: Connection, rows: list[asyncpg.Record], workspace: str, desks: dict[str, str]
) -> list[str]:
    """Move pages to the desks where they shall be; return why some must stay."""
    refused = []
    for row in rows:
        page, desk = row["page_id"], desks[row["page_id"]]
        if row["workspace_id"] != workspace or row["desk_id"] == desk:
            continue
        if await connection.execute(_MOVE_PAGE, workspace, page, desk) != "UPDATE 1":
            refused.append(f"page {page} has conversations on the desk {row['desk_id']}: keep it there")
    return refused


async def _bound(connection: Connection, workspace: str, desks: dict[str, str]) -> list[str]:
    """Why pages that nobody has cannot be had: another desk has their conversations."""
    rows = await connection.fetch(_CONVERSATIONS, workspace, list(desks), list(desks.values()))
    return [
        f"page {page} has conversations on the desk {desk} of the workspace {owner}: "
        "that desk alone can have it again"
        for page, owner, desk in rows
    ]
