"""A command from its asker to its outcome: known before? allowed? on Kafka; and then its outcome is awaited.

Nothing here is lost with the gateway: who repeats with the same key is told the same outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import Pool

from schemas import asks
from schemas.actions import Say
from schemas.commands import Amend
from workers.channels.problem import UnpublishedError
from workers.channels.publisher import Publisher
from workers.channels.records import Outgoing
from workers.channels.sighting import Sighting
from workers.files.files import Files
from workers.gateway.attachments import attached
from workers.gateway.audit import Audit
from workers.gateway.calls import (
    Asked,
    Body,
    BulkBody,
    ConversationCall,
    on_agent,
    on_conversation,
    on_desk,
    on_many,
    record_of,
    request_of,
)
from workers.gateway.conversations import Conversation, agent_relations, read_conversations, relations
from workers.gateway.desks.registry import reserve_agents
from workers.gateway.desks.relations import desk_relations
from workers.gateway.identity import Identity
from workers.gateway.mentions import read_roles, strangers
from workers.gateway.problem import ApiError, forbidden, not_found, unavailable
from workers.gateway.rights import Call, allowed_calls, may
from workers.gateway.roster import Roster, Rosters
from workers.gateway.stored import Key, Stored, read_stored
from workers.gateway.together import Together
from workers.gateway.visitors import Visitors
from workers.gateway.waiting import Outcome, Request, Waiter, Waiting
from workers.runtime.postgres import DATABASE_ERRORS


class Asker(NamedTuple):
    """Who asks, from where, and under which idempotency key."""

    identity: Identity
    address: str
    key: str


class Sent(NamedTuple):
    """A request that is on its way, or was answered before."""

    workspace: str
    desks: frozenset[str]
    actor: str
    key: str
    request: Request
    outcome: Outcome | None
    waiter: Waiter

    def close(self) -> None:
        """Nobody waits for its outcome any more."""
        self.waiter.close()


class Commanding:
    """Carries out what agents, page admins and services ask; whoever gets what was sent closes it."""

    def __init__(
        self,
        pool: Pool,
        rosters: Rosters,
        publisher: Publisher,
        waiting: Waiting,
        audit: Audit,
        outcome_deadline_s: float,
        files: Files | None,
        visitors: Visitors,
    ) -> None:
        self._pool = pool
        self._rosters = rosters
        self._publisher = publisher
        # A thousand agents who click at once cost a few statements and sendings, not thousands.
        self._found = Together(self._find)
        self._known = Together(partial(read_stored, pool))
        self._sending = Together(self._send_all)
        self._waiting = waiting
        self._audit = audit
        self._outcome_deadline_s = outcome_deadline_s
        self._files = files
        self._visitors = visitors

    async def conversation(self, asker: Asker, call: ConversationCall, id_: UUID, body: Body) -> Sent:
        """Send a call on one conversation. Raises ApiError when it is not to be sent."""
        roster = await self._roster(asker)
        with self._waiting.for_key(asker.identity.actor, asker.key) as waiter:
            conversation, known = await self._look_up(asker, roster, call, id_)
            if issubclass(call.model, Say):
                body = await self._attached(asker, conversation, body)
            stands = relations(asker.identity.agent, conversation, roster)
            is_new = not any(one.outcome for one in known)
            if is_new and may(asker.identity, stands, call.name):
                await self._check_mentions(asker, conversation, roster, body)
            asked = on_conversation(call, asker.identity, conversation, asker.key, body, stands)
            return await self._send(asker, asked, roster, known, waiter, ((call.name, stands, str(id_)),))

    async def agent(
        self,
        asker: Asker,
        call: Call,
        model: type[asks.SetCapacity | asks.SetLeave],
        agent: str,
        body: Body,
    ) -> Sent:
        """Send a call on an agent. Raises ApiError when it is not to be sent."""
        roster = await self._roster(asker)
        desk = roster.desk_of.get(agent)
        if desk is None:
            raise not_found("unknown_agent", f"There is no agent {agent} in this workspace.")
        asked = on_agent(model, asker.identity, desk, agent, asker.key, body)
        stands = agent_relations(asker.identity.agent, agent, roster)
        return await self._send_unknown(asker, asked, roster, ((call, stands, agent),))

    async def desk(
        self,
        asker: Asker,
        call: Call,
        desk: str,
        model: type[asks.SetTicketFields | Amend],
        said: Mapping[str, Any],
    ) -> Sent:
        """Send a call on a desk. Raises ApiError when it is not to be sent."""
        roster = await self._roster(asker)
        if desk not in roster.desks:
            raise not_found("unknown_desk", f"There is no desk {desk} in this workspace.")
        asked = on_desk(model, asker.identity, desk, asker.key, said)
        stands = desk_relations(asker.identity.agent, desk, roster)
        if isinstance(asked, Amend) and may(asker.identity, stands, call):
            new = [agent.id for agent in asked.agents if agent.id not in roster.desk_of]
            with _ANSWERING:
                await reserve_agents(self._pool, asker.identity.workspace, desk, new)
        return await self._send_unknown(asker, asked, roster, ((call, stands, desk),))

    async def many(self, asker: Asker, body: BulkBody) -> Sent:
        """Send a bulk call. Raises ApiError when it is not to be sent, naming what stands in its way."""
        conversations = await self._conversations(asker, body.conversations)
        if len({one.desk for one in conversations}) > 1:
            sentence = "These conversations are of several desks: ask for each desk by itself."
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "other_desk", sentence)
        asked = on_many(asker.identity, conversations, asker.key, body)
        roster = await self._roster(asker)
        about = [
            (body.what, relations(asker.identity.agent, one, roster), str(one.id)) for one in conversations
        ]
        return await self._send_unknown(asker, asked, roster, about)

    async def outcome(self, sent: Sent) -> Outcome | None:
        """What became of it; none: it is not known when the time is over."""
        if sent.outcome is not None:
            return sent.outcome
        try:
            async with asyncio.timeout(self._outcome_deadline_s):
                return await sent.waiter.outcome(sent.request)
        except TimeoutError:
            found = await self.stored(sent.workspace, sent.desks, sent.actor, sent.key)
            return next((one for one in found if sent.request.is_answered_by(one)), None)

    async def stored(self, workspace: str, desks: frozenset[str], actor: str, key: str) -> list[Outcome]:
        """The outcomes that are stored of a key. Raises ApiError when Postgres does not answer."""
        with _ANSWERING:
            found = await self._known.ask(workspace, Key(desks, actor, key))
        return [one.outcome for one in found if one.outcome is not None]

    async def desks(self, workspace: str) -> frozenset[str]:
        """The desks of a workspace. Raises ApiError when Postgres does not answer."""
        with _ANSWERING:
            return (await self._rosters.of(workspace)).desks

    async def _send_unknown(
        self,
        asker: Asker,
        asked: Asked,
        roster: Roster,
        about: Collection[tuple[Call, Collection[str], str]],
    ) -> Sent:
        """Look whether it was answered before, and send it."""
        with self._waiting.for_key(asker.identity.actor, asker.key) as waiter:
            with _ANSWERING:
                known = await self._known.ask(*_key(asker, roster))
            return await self._send(asker, asked, roster, known, waiter, about)

    async def _send(
        self,
        asker: Asker,
        asked: Asked,
        roster: Roster,
        known: Collection[Stored],
        waiter: Waiter,
        about: Collection[tuple[Call, Collection[str], str]],
    ) -> Sent:
        """Send what was not answered before, if it is allowed. What was is told again, allowed or not."""
        identity = asker.identity
        request = request_of(asked)
        if not all(one.is_of(request) for one in known):
            sentence = (
                "This idempotency key was used for another request: send this one with a key of its own."
            )
            raise ApiError(HTTPStatus.CONFLICT, "key_reused", sentence)
        outcome = next((one.outcome for one in known if one.outcome), None)
        if outcome is None:
            self._allow(asker, about)
            await self._publish(asked)
        return Sent(identity.workspace, roster.desks, identity.actor, asker.key, request, outcome, waiter)

    def _allow(self, asker: Asker, about: Collection[tuple[Call, Collection[str], str]]) -> None:
        """Raises ApiError, which names every subject that the asker may not do this with."""
        wrong = [one for one in about if not may(asker.identity, one[1], one[0])]
        if not wrong:
            return
        for call, _, subject in wrong:
            self._audit.refused(
                asker.identity.workspace, asker.identity.actor, asker.address, call, "forbidden", subject
            )
        call, stands, _ = wrong[0]
        raise forbidden(
            f"You may not {call.replace('_', ' ')} here.",
            allowed=allowed_calls(asker.identity, stands) if len(about) == 1 else (),
            details={"subjects": [subject for _, _, subject in wrong]},
        )

    async def _publish(self, asked: Asked) -> None:
        try:
            record = record_of(asked)
            await self._sending.ask((record.topic, record.key), record)
        except UnpublishedError as error:
            sentence = "It is not known whether this was taken. Send it again with the same key."
            raise unavailable("unpublished", sentence, error.retry_after_s or 1.0) from error

    async def _send_all(self, _: tuple[str, bytes | None], records: Sequence[Outgoing]) -> Sequence[None]:
        """Those of one key, in their order."""
        await self._publisher.publish(records)
        return [None] * len(records)

    async def _look_up(
        self, asker: Asker, roster: Roster, call: ConversationCall, id_: UUID
    ) -> tuple[Conversation, Collection[Stored]]:
        """A conversation of the asker's workspace, and beside it what is known of the key.

        Raises ApiError when it is not there, or its visitor is not where the call needs him.
        """
        with _ANSWERING:
            found, known = await asyncio.gather(
                self._found.ask(asker.identity.workspace, id_), self._known.ask(*_key(asker, roster))
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

    async def _find(self, workspace: str, ids: Sequence[UUID]) -> Sequence[Conversation | None]:
        found = await read_conversations(self._pool, workspace, set(ids))
        return [found.get(id_) for id_ in ids]

    async def _conversations(self, asker: Asker, ids: Collection[UUID]) -> list[Conversation]:
        """Those of the asker's workspace, in this order. Raises ApiError when one is not there."""
        with _ANSWERING:
            found = await read_conversations(self._pool, asker.identity.workspace, ids)
        missing = [str(id_) for id_ in ids if id_ not in found]
        if missing:
            raise _unknown(missing)
        return [found[id_] for id_ in dict.fromkeys(ids)]

    async def _attached(self, asker: Asker, conversation: Conversation, body: Body) -> Body:
        with _ANSWERING:
            return await attached(self._pool, self._files, asker.identity.workspace, conversation.id, body)

    async def _check_mentions(
        self, asker: Asker, conversation: Conversation, roster: Roster, body: Body
    ) -> None:
        """Raises ApiError when a note names somebody who may not see the conversation."""
        mentioned = getattr(body, "mentions", ())
        if not mentioned:
            return
        workspace = asker.identity.workspace
        with _ANSWERING:
            roles = await read_roles(self._pool, workspace, mentioned)
        unseeing = strangers(mentioned, conversation, workspace, roster, roles)
        if unseeing:
            sentence = (
                f"They may not see this conversation, so a note cannot name them: {', '.join(unseeing)}."
            )
            raise forbidden(sentence, details={"subjects": [str(conversation.id)], "agents": unseeing})

    async def _roster(self, asker: Asker) -> Roster:
        with _ANSWERING:
            return await self._rosters.of(asker.identity.workspace)


def _of_visitor(visitor: Sighting | None, roster: Roster) -> Conversation | None:
    """What will be the conversation of somebody who has never written."""
    desk = None if visitor is None else roster.desk_of_page.get(visitor.page)
    if visitor is None or desk is None:
        return None
    return Conversation(visitor.place[1], visitor.conversation_key, desk, visitor.page)


def _key(asker: Asker, roster: Roster) -> tuple[str, Key]:
    """Workspace and key, as outcomes are asked for."""
    return asker.identity.workspace, Key(roster.desks, asker.identity.actor, asker.key)


def _unknown(missing: Sequence[str]) -> ApiError:
    sentence = f"There is no conversation {missing[0]} in this workspace."
    return not_found("unknown_conversation", sentence, details={"subjects": missing})


class _Answering:
    """Says in the API's words that Postgres does not answer. Raises ApiError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, DATABASE_ERRORS):
            raise unavailable("database_down", "The database does not answer. Send it again.") from error


_ANSWERING = _Answering()
