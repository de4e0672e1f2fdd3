"""Those who look at a conversation or watch a page, as far as they still may."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import islice
from typing import TypeVar
from uuid import UUID

from asyncpg import Pool

from config.logging import get_logger
from workers.channels.glance import Place
from workers.gateway.connection import Connection, transient
from workers.gateway.conversations import Conversation, read_conversations, relations
from workers.gateway.identity import Identity
from workers.gateway.looking import Looking
from workers.gateway.queries.scope import owns
from workers.gateway.rights import may
from workers.gateway.roster import Roster, Rosters
from workers.gateway.watching import PagePlace, Watching
from workers.runtime.postgres import DATABASE_ERRORS

TICK_S = 0.8
"""With the time that a look takes less than the second within which nobody is told anything any more."""
PART = 500
"""So many conversations are read at once; others have their turn between two parts."""

_log = get_logger(__name__)
Named = TypeVar("Named")


class Onlookers:
    """Lets go, and tells it, of whoever may not look or watch any more."""

    def __init__(self, pool: Pool, rosters: Rosters, looking: Looking, watching: Watching) -> None:
        self._pool = pool
        self._rosters = rosters
        self._looking = looking
        self._watching = watching

    async def run(self) -> None:
        """Look at all rights again and again, until cancelled: of visitors much is told without a line."""
        while True:
            try:
                await self.look_anew()
            except DATABASE_ERRORS as error:
                _log.warning("onlookers_stay", error=error)
            await asyncio.sleep(TICK_S)

    async def look_anew(self) -> None:
        """The same, once. Raises what Postgres raises."""
        looked_at, watched = _by_workspace(self._looking.places), _by_workspace(self._watching.places)
        for workspace in looked_at.keys() | watched.keys():
            roster = await self._rosters.of(workspace, age_s=0.0)
            for page in watched[workspace]:
                self.of_page((workspace, page), roster)
            ids = iter(looked_at[workspace])
            while part := list(islice(ids, PART)):
                found = await self.read(workspace, part)
                for id_ in part:
                    self.of_conversation((workspace, id_), found.get(id_), roster)

    async def read(self, workspace: str, ids: Collection[UUID]) -> dict[UUID, Conversation]:
        """Conversations as they are now. Raises what Postgres raises."""
        return await read_conversations(self._pool, workspace, ids) if ids else {}

    def of_page(self, place: PagePlace, roster: Roster) -> set[Connection]:
        """Who watches a page, and may."""
        _, page = place
        found = set(self._watching.at(place))
        for one in [one for one in found if not owns(one.identity, page, roster)]:
            self._watching.watch_off(one, page)
            found.discard(one)
            one.send(_over("watch", {"page": page}))
        return found

    def of_conversation(
        self, place: Place, conversation: Conversation | None, roster: Roster
    ) -> set[Connection]:
        """Who looks at a conversation, which is as `conversation` says, and may."""
        _, id_ = place
        found = set(self._looking.at(place))
        for one in [one for one in found if not may_see(one.identity, conversation, roster)]:
            self._looking.look_away(one, id_)
            found.discard(one)
            one.send(_over("look", {"conversation": str(id_)}))
        return found


def may_see(identity: Identity, conversation: Conversation | None, roster: Roster) -> bool:
    """Whether he may see it now."""
    return conversation is not None and may(identity, relations(identity.agent, conversation, roster), "see")


def _by_workspace(places: Iterable[tuple[str, Named]]) -> defaultdict[str, list[Named]]:
    found: defaultdict[str, list[Named]] = defaultdict(list)
    for workspace, named in places:
        found[workspace].append(named)
    return found


def _over(do: str, about: dict[str, str]) -> str:
    detail = "You may not see this any more."
    return transient("refused", {"do": do, "status": 403, "code": "forbidden", "detail": detail, **about})
