"""Answers what is asked, as far as the asker may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection, Pool

from workers.gateway.audit import Audit
from workers.gateway.conversations import Conversation, read_conversations, relations
from workers.gateway.identity import Identity
from workers.gateway.problem import forbidden, not_found
from workers.gateway.queries.cursor import Cursor
from workers.gateway.queries.pool import reading
from workers.gateway.queries.scope import Scope, owns, scope_of
from workers.gateway.rights import may
from workers.gateway.roster import Roster, Rosters

FIRST = Cursor(datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
"""Before all of a list."""


class View(NamedTuple):
    """What one request reads from."""

    connection: Connection
    scope: Scope
    roster: Roster
    identity: Identity


class Queries:
    """Reads for those who may."""

    def __init__(self, pool: Pool, rosters: Rosters, audit: Audit) -> None:
        self.pool = pool
        self._rosters = rosters
        self._audit = audit

    @asynccontextmanager
    async def view(self, identity: Identity) -> AsyncIterator[View]:
        """What is there at this moment. Raises ApiError when Postgres is slow or away."""
        async with reading(self.pool) as connection:
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
                self._audit.refused(identity.workspace, identity.actor, address, "watch", "forbidden", page)
                raise forbidden("You may not watch this page.")

    async def conversation(self, view: View, id_: UUID, address: str) -> Conversation:
        """A conversation that he may see. Raises ApiError 404 or 403."""
        identity = view.identity
        found = (await read_conversations(view.connection, identity.workspace, [id_])).get(id_)
        if found is None:
            sentence = f"There is no conversation {id_} in this workspace."
            raise not_found("unknown_conversation", sentence)
        if not may(identity, relations(identity.agent, found, view.roster), "see"):
            self._audit.refused(identity.workspace, identity.actor, address, "see", "forbidden", str(id_))
            raise forbidden("You may not see this conversation.")
        return found
