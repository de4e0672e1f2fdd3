"""A command from its asker to its outcome: known before? allowed? on Kafka; and then its outcome is awaited.

Nothing here is lost with the gateway: who repeats with the same key is told the same outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from asyncpg import Pool

from schemas import asks
from schemas.actions import Say
from schemas.commands import Amend
from workers.channels.publisher import RETRY_AFTER_S, Publisher, UnpublishedError
from workers.channels.records import Outgoing
from workers.files.files import Files
from workers.gateway.asker import Asker, Sent
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
from workers.gateway.conversations import Conversation, agent_relations, relations
from workers.gateway.desks.registry import reserve_agents
from workers.gateway.desks.relations import desk_relations
from workers.gateway.finding import Finding, key_of
from workers.gateway.mentions import check_mentions
from workers.gateway.problem import ApiError, answering, forbidden, not_found, unavailable
from workers.gateway.rights import Call, allowed_calls, may
from workers.gateway.roster import Roster, Rosters
from workers.gateway.stored import Key, Stored
from workers.gateway.together import Together
from workers.gateway.visitors import Visitors
from workers.gateway.waiting import Outcome, Waiter, Waiting


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
        self._publisher = publisher
        self._finding = Finding(pool, rosters, visitors)
        # A thousand agents who click at once cost a few sendings, not thousands.
        self._sending = Together(self._send_all)
        self._waiting = waiting
        self._audit = audit
        self._outcome_deadline_s = outcome_deadline_s
        self._files = files

    async def conversation(self, asker: Asker, call: ConversationCall, id_: UUID, body: Body) -> Sent:
        """Send a call on one conversation. Raises ApiError when it is not to be sent."""
        roster = await self._finding.roster(asker.identity.workspace)
        with self._waiting.for_key(asker.identity.actor, asker.key) as waiter:
            conversation, known = await self._finding.conversation(asker, roster, call, id_)
            if "attachments" in call.body.model_fields:
                body = await self._attached(asker, call, conversation, body)
            stands = relations(asker.identity.agent, conversation, roster)
            is_new = not any(one.outcome for one in known)
            if is_new and may(asker.identity, stands, call.name):
                mentioned = getattr(body, "mentions", ())
                await check_mentions(self._pool, asker.identity.workspace, conversation, roster, mentioned)
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
        roster = await self._finding.roster(asker.identity.workspace)
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
        roster = await self._finding.roster(asker.identity.workspace)
        if desk not in roster.desks:
            raise not_found("unknown_desk", f"There is no desk {desk} in this workspace.")
        asked = on_desk(model, asker.identity, desk, asker.key, said)
        stands = desk_relations(asker.identity.agent, desk, roster)
        if isinstance(asked, Amend) and may(asker.identity, stands, call):
            new = [agent.id for agent in asked.agents if agent.id not in roster.desk_of]
            with answering():
                await reserve_agents(self._pool, asker.identity.workspace, desk, new)
        return await self._send_unknown(asker, asked, roster, ((call, stands, desk),))

    async def many(self, asker: Asker, body: BulkBody) -> Sent:
        """Send a bulk call. Raises ApiError when it is not to be sent, naming what stands in its way."""
        conversations = await self._finding.conversations(asker, body.conversations)
        if len({one.desk for one in conversations}) > 1:
            sentence = "These conversations are of several desks: ask for each desk by itself."
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "other_desk", sentence)
        asked = on_many(asker.identity, conversations, asker.key, body)
        roster = await self._finding.roster(asker.identity.workspace)
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
        found = await self._finding.known(workspace, Key(desks, actor, key))
        return [one.outcome for one in found if one.outcome is not None]

    async def desks(self, workspace: str) -> frozenset[str]:
        """The desks of a workspace. Raises ApiError when Postgres does not answer."""
        return (await self._finding.roster(workspace)).desks

    async def _send_unknown(
        self,
        asker: Asker,
        asked: Asked,
        roster: Roster,
        about: Collection[tuple[Call, Collection[str], str]],
    ) -> Sent:
        """Look whether it was answered before, and send it."""
        with self._waiting.for_key(asker.identity.actor, asker.key) as waiter:
            known = await self._finding.known(*key_of(asker, roster))
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
        call, stands, first = wrong[0]
        who = asker.identity.workspace, asker.identity.actor, asker.address
        # One row, however many there are; all are of one call.
        self._audit.refused(*who, call, "forbidden", first, proven=True, times=len(wrong))
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
            raise unavailable("unpublished", sentence, RETRY_AFTER_S) from error

    async def _send_all(self, _: tuple[str, bytes | None], records: Sequence[Outgoing]) -> Sequence[None]:
        """Those of one key, in their order."""
        await self._publisher.publish(records)
        return [None] * len(records)

    async def _attached(
        self, asker: Asker, call: ConversationCall, conversation: Conversation, body: Body
    ) -> Body:
        said_to = self._pool, self._files, asker.identity.workspace, conversation
        with answering():
            return await attached(*said_to, body, by_channel=issubclass(call.model, Say))
