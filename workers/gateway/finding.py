"""What commands are about, as the tables have it: rosters, conversations, and what is known of a key."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from http import HTTPStatus
from uuid import UUID

from asyncpg import Pool

from workers.channels.sighting import Sighting
from workers.gateway.asker import Asker
from workers.gateway.calls import ConversationCall
from workers.gateway.conversations import Conversation, read_conversations
from workers.gateway.problem import ApiError, answering, not_found
from workers.gateway.roster import Roster, Rosters
from workers.gateway.stored import Key, Stored, read_stored
from workers.gateway.together import Together
from workers.gateway.visitors import Visitors


class Finding:
    """Looks it up: a thousand agents who click at once cost a few statements, not thousands."""

    def __init__(self, pool: Pool, rosters: Rosters, visitors: Visitors) -> None:
        self._pool = pool
        self._rosters = rosters
        self._visitors = visitors
        self._found = Together(self._find)
        self._known = Together(partial(read_stored, pool))

    async def roster(self, workspace: str) -> Roster:
        """Who works there. Raises ApiError when Postgres does not answer."""
        with answering():
            return await self._rosters.of(workspace)

    async def known(self, workspace: str, key: Key) -> list[Stored]:
        """What is known of a key. Raises ApiError when Postgres does not answer."""
        with answering():
            return await self._known.ask(workspace, key)

    async def conversation(
        self, asker: Asker, roster: Roster, call: ConversationCall, id_: UUID
    ) -> tuple[Conversation, Collection[Stored]]:
        """A conversation of the asker's workspace, and beside it what is known of the key.

        Raises ApiError when it is not there, or its visitor is not where the call needs him.
        """
        with answering():
            found, known = await asyncio.gather(
                self._found.ask(asker.identity.workspace, id_), self._known.ask(*key_of(asker, roster))
            )
        if call.needs_visitor:
            visitor = self._visitors.now((asker.identity.workspace, id_))
            found = found or _of_visitor(visitor, roster)
            if found is not None and visitor is None and not any(one.outcome for one in known):
                sentence = "The visitor is not on the website now."
                raise ApiError(HTTPStatus.CONFLICT, "not_online", sentence)
        if found is None:
            raise _unknown([str(id_)])
        return found, known

    async def conversations(self, asker: Asker, ids: Collection[UUID]) -> list[Conversation]:
        """Those of the asker's workspace, in this order. Raises ApiError when one is not there."""
        with answering():
            found = await read_conversations(self._pool, asker.identity.workspace, ids)
        missing = [str(id_) for id_ in ids if id_ not in found]
        if missing:
            raise _unknown(missing)
        return [found[id_] for id_ in dict.fromkeys(ids)]

    async def _find(self, workspace: str, ids: Sequence[UUID]) -> Sequence[Conversation | None]:
        found = await read_conversations(self._pool, workspace, set(ids))
        return [found.get(id_) for id_ in ids]


def _of_visitor(visitor: Sighting | None, roster: Roster) -> Conversation | None:
    """What will be the conversation of somebody who has never written."""
    desk = None if visitor is None else roster.desk_of_page.get(visitor.page)
    if visitor is None or desk is None:
        return None
    return Conversation(visitor.place[1], visitor.conversation_key, desk, visitor.page)


def key_of(asker: Asker, roster: Roster) -> tuple[str, Key]:
    """Workspace and key, as outcomes are asked for."""
    return asker.identity.workspace, Key(roster.desks, asker.identity.actor, asker.key)


def _unknown(missing: Sequence[str]) -> ApiError:
    sentence = f"There is no conversation {missing[0]} in this workspace."
    return not_found("unknown_conversation", sentence, details={"subjects": missing})
