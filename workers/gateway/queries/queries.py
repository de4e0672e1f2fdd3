"""Answers what is asked, as far as the asker may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection, Pool

from workers.gateway.audit import Audit
from workers.gateway.conversations import Conversation, read_conversations, relations
from workers.gateway.identity import Identity
from workers.gateway.problem import not_found
from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.pool import reading
from workers.gateway.queries.scope import Scope, owns, scope_of
from workers.gateway.queries.turns import AT_ONCE, Turns
from workers.gateway.rights import Call, may
from workers.gateway.roster import Roster, Rosters

FIRST = Cursor(datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
"""Before all of a list."""


class View(NamedTuple):
    """What one request reads from."""

    connection: Connection
    scope: Scope
    roster: Roster
    identity: Identity


async def visible(view: View, ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of these conversations that he may see."""
    found = await read_conversations(view.connection, view.identity.workspace, ids) if ids else {}
    agent, roster = view.identity.agent, view.roster
    return frozenset(
        id_ for id_, one in found.items() if may(view.identity, relations(agent, one, roster), "see")
    )


class Queries:
    """Reads for those who may.

    Args:
        at_once: so many reads of each actor are under way.
    """

    def __init__(self, pool: Pool, rosters: Rosters, audit: Audit, at_once: int = AT_ONCE) -> None:
        self.pool = pool
        self._turns = Turns(at_once)
        self._rosters = rosters
        self._audit = audit

    @asynccontextmanager
    async def view(self, identity: Identity) -> AsyncIterator[View]:
        """What is there now. Raises ApiError when Postgres is slow or away, or he reads too much at once."""
        async with self._turns.one(identity.actor), reading(self.pool) as connection:
            roster = await self._rosters.of(identity.workspace)
            yield View(connection, scope_of(identity, roster), roster, identity)

    async def seen(self, identity: Identity, id_: UUID, address: str) -> Conversation:
        """The same as `conversation`, for who wants nothing else of this moment."""
        async with self.view(identity) as view:
            return await self.conversation(view, id_, address)

    async def own_page(self, identity: Identity, page: str, address: str) -> None:
        """Raises ApiError 404 or 403 when a page is not his to see all of."""
        async with self.view(identity) as view:
            if page not in view.roster.desk_of_page:
                raise not_found("unknown_page", f"There is no page {page} in this workspace.")
            if not owns(identity, page, view.roster):
                raise self._audit.forbid(identity, address, "watch", page, "You may not watch this page.")

    async def conversation(self, view: View, id_: UUID, address: str, call: Call = "see") -> Conversation:
        """A conversation with which he may do this. Raises ApiError 404 or 403."""
        identity = view.identity
        found = (await read_conversations(view.connection, identity.workspace, [id_])).get(id_)
        if found is None:
            sentence = f"There is no conversation {id_} in this workspace."
            raise not_found("unknown_conversation", sentence)
        if not may(identity, relations(identity.agent, found, view.roster), call):
            unseen = "You may not see this conversation." if call == "see" else None
            raise self._audit.forbid(identity, address, call, str(id_), unseen)
        return found
