"""Blocks: a customer who is kept out, for some days or for good."""

from __future__ import annotations

from datetime import timedelta

from schemas.asks import Block, Unblock
from schemas.assignments import Blocked, Unblocked
from schemas.base import rfc3339
from workers.routing.desk.access import administers, holds
from workers.routing.desk.appointing import not_holder
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import deal, drain
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import overtake_transfer
from workers.routing.outcomes import Refusal, Result


def block(draft: Draft, conversation: Conversation, command: Block) -> Refusal | Result:
    """Keep its customer out; again, it counts from now. Nobody is asked to take it, or over, while he is."""
    if not _may(draft, conversation, command):
        return not_holder(draft.desk, conversation, command, instead="block")
    until = draft.place.at + timedelta(days=command.days) if command.days is not None else None
    conversation = overtake_transfer(draft, conversation)
    draft.tell(
        Blocked,
        conversation,
        standing="held" if conversation.holder else "idle",
        until=until,
        by=command.actor,
        command=command.idempotency_key,
        reason=command.reason,
    )
    if conversation.carried:
        drain(draft)
    return {"blocked": True, "until": rfc3339(until) if until else None}


def unblock(draft: Draft, conversation: Conversation, command: Unblock) -> Refusal | Result:
    """Let its customer in again."""
    if not _may(draft, conversation, command):
        return not_holder(draft.desk, conversation, command, instead="unblock")
    if conversation.blocked:
        _let_in(draft, conversation, by=command.actor, command=command.idempotency_key)
    return {"blocked": False}


def expire(draft: Draft, key: str) -> None:
    """The time is over for which a customer was kept out."""
    _let_in(draft, draft.desk.conversations[key])


def _may(draft: Draft, conversation: Conversation, command: Block | Unblock) -> bool:
    return holds(command, conversation) or administers(draft.desk, command, conversation.page)


def _let_in(
    draft: Draft, conversation: Conversation, by: str | None = None, command: str | None = None
) -> None:
    """Whoever still has an open session and no agent is wanted again."""
    now = draft.tell(Unblocked, conversation, by=by, command=command)
    if now.standing == "idle" and now.session_open:
        deal(draft, now)
