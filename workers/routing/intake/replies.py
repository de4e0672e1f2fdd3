"""Reply is a claim: an agent's answer to an offered conversation is held until the desk says who has it.

What he writes there meanwhile stands behind it and shares its fate. Whoever holds the conversation after an
event of its chain has his answers sent; those of all others come back to them as the desk refuses them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from schemas.actions import Say, StartChat
from schemas.assignments import ChainEvent, ReplyRefused
from schemas.envelope import Kind
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.policies import DeskPolicies
from workers.routing.intake.reply import Reply
from workers.routing.intake.saying import say
from workers.routing.intake.tickets import unfit
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal, Result
from workers.runtime.batch import Record

REPLY_CLAIM = Kind("commands", "reply_claim")
OF_SENDER_MAX = 20
OF_CONVERSATION_MAX = 200
"""How many answers are held at once, at most."""


def is_waiting(conversation: Conversation, sender: str | None) -> bool:
    """Whether an answer of `sender` waits, so that his next one must stand behind it."""
    return any(reply.sender == sender for reply in conversation.replies)


def hold(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    action: Say,
    *,
    message: str,
    quoted: str | None,
) -> Refusal | None:
    """Keep `action`, and ask the desk unless it stands behind another; or refuse it, when too many wait."""
    waiting = Counter(reply.sender for reply in conversation.replies)
    if waiting[action.by] >= OF_SENDER_MAX or len(conversation.replies) >= OF_CONVERSATION_MAX:
        return Refusal(
            "too_many", "too many answers wait here for the desk's decision: send it again after it"
        )
    before = next((reply for reply in conversation.replies if reply.sender == action.by), None)
    claim = f"reply/{message}" if before is None else before.claim
    number = max((reply.number for reply in conversation.replies), default=0) + 1
    reply = Reply(message, number, claim, action, quoted)
    conversation.replies.append(reply)
    work.held.append((conversation, reply))
    work.change(conversation)
    work.outcomes.wait(action, at_ms)
    if before is None:
        _ask(work, conversation, cause, at_ms, reply)
    return None


def follow(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    event: ChainEvent,
    policies: DeskPolicies,
) -> None:
    """What `event`, which has been applied, means for those that wait: its holder's are sent.

    Those of all others wait for the desk to refuse their claim: it tells who was first, and by how much.
    """
    holder = event.holder
    if holder is None or not conversation.replies:
        return
    for reply in _settle(work, conversation, _sendable(conversation, holder)):
        work.answer(
            conversation, cause, at_ms, reply.action, _send(work, conversation, cause, at_ms, reply, policies)
        )


def _sendable(conversation: Conversation, holder: str) -> list[Reply]:
    """His who has it; whoever begins a chat though he has it already waits for its session."""
    return [
        reply
        for reply in conversation.replies
        if reply.sender == holder and (conversation.session_open or not isinstance(reply.action, StartChat))
    ]


def refused(work: Work, conversation: Conversation, cause: Record, at_ms: int, answer: ReplyRefused) -> None:
    """The desk has refused a claim: what waits for it goes back to its sender."""
    replies = [reply for reply in conversation.replies if reply.claim == answer.command]
    refusal = Refusal(answer.code, answer.sentence, answer.allowed, answer.details)
    give_back(work, conversation, cause, at_ms, refusal, replies)


def give_back(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    refusal: Refusal,
    replies: list[Reply] | None = None,
) -> None:
    """Refuse `replies`; none: all that wait."""
    for reply in _settle(work, conversation, conversation.replies if replies is None else replies):
        work.answer(conversation, cause, at_ms, reply.action, refusal)


def _settle(work: Work, conversation: Conversation, replies: list[Reply]) -> list[Reply]:
    """Let `replies` wait no more."""
    settled = list(replies)
    if settled:
        gone = {reply.message for reply in settled}
        conversation.replies = [reply for reply in conversation.replies if reply.message not in gone]
        work.settled += [(conversation, reply) for reply in settled]
        work.change(conversation)
    return settled


def _send(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, reply: Reply, policies: DeskPolicies
) -> Refusal | Result:
    """Send it, unless what it changes of the ticket cannot be so any more, as it was when it came."""
    if reply.action.ticket is not None:
        fields = policies.of(conversation.workspace, conversation.desk).ticket_fields
        if refused := unfit(conversation, at_ms, reply.action, fields):
            return refused
    return say(work, conversation, cause, at_ms, reply.action, message=reply.message, quoted=reply.quoted)


def _ask(work: Work, conversation: Conversation, cause: Record, at_ms: int, reply: Reply) -> None:
    value: dict[str, Any] = {
        **conversation.facts,
        "actor": reply.action.actor,
        "idempotency_key": reply.claim,
        "by": reply.sender,
    }
    if isinstance(reply.action, StartChat) and not conversation.session_open:
        value["begins"] = {
            "page": conversation.page,
            "channel": conversation.channel,
            "session": conversation.session + 1,
            "position": conversation.position,
            "tags": conversation.tags,
        }
    work.batch.emit(cause, REPLY_CLAIM, key=conversation.command_key, value=orjson.dumps(value), at_ms=at_ms)
