"""Outcomes: every command of an agent, a service or the CLI has exactly one, also when it comes twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from schemas.asks import ConversationAsk
from schemas.building import build
from schemas.commands import AskedCommand
from schemas.outcomes import Done, Refused, request_sha256
from workers.routing.desk.access import administers, holds
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import KIND_OF, Draft
from workers.routing.desk.desk import Desk
from workers.routing.outcomes import KEPT, KEY_REUSED, Refusal


def admin_may(desk: Desk, command: AskedCommand, page: str) -> tuple[str, ...]:
    """What who asks does instead of claiming, if he administers `page`; an operator or service appoints."""
    if not administers(desk, command, page):
        return ()
    return ("appoint",) if command.by is None else ("take_over", "appoint")


def blocked(desk: Desk, command: AskedCommand, conversation: Conversation) -> Refusal:
    """Its customer is kept out: its holder and the page's admins let him in."""
    if holds(command, conversation) or administers(desk, command, conversation.page):
        return Refusal("blocked", "its customer is blocked: unblock him first", allowed=("unblock",))
    return Refusal("blocked", "its customer is blocked")


def taken(draft: Draft, conversation: Conversation, command: AskedCommand) -> Refusal:
    """Somebody else has it: who, and since when."""
    since = conversation.held_since or draft.place.at
    earlier_ms = (draft.place.at - since) // timedelta(milliseconds=1)
    sentence = f"{conversation.holder} took it {earlier_ms} ms earlier"
    details = {"winner": conversation.holder, "earlier_ms": earlier_ms}
    allowed = admin_may(draft.desk, command, conversation.page)
    return Refusal("taken", sentence, allowed=allowed, details=details)


def answered_before(draft: Draft, command: AskedCommand) -> bool:
    """Whether `command` is a repetition. The same key with another body is refused; the first one stays."""
    first = draft.desk.outcomes.get((command.actor, command.idempotency_key))
    if first is None or draft.place.at - first.at >= KEPT:
        return False
    if first.request_sha256 != request_sha256(command):
        sentence = (
            f"the idempotency key {command.idempotency_key!r} was used for another {first.command} "
            f"at {first.at.isoformat()}: send this one with a key of its own"
        )
        refuse(draft, command, Refusal(KEY_REUSED, sentence))
    return True


def done(draft: Draft, command: AskedCommand, result: dict[str, Any]) -> None:
    """Say that `command` was carried out."""
    draft.say(build(Done, {**_common(draft, command), "result": result}))


def refuse(draft: Draft, command: AskedCommand, refusal: Refusal) -> None:
    """Say that `command` was not carried out, and why."""
    draft.say(
        build(
            Refused,
            {
                **_common(draft, command),
                "code": refusal.code,
                "sentence": refusal.sentence,
                "allowed": refusal.allowed,
                "details": dict(refusal.details),
            },
        )
    )


def _common(draft: Draft, command: AskedCommand) -> dict[str, Any]:
    return {
        "workspace": command.workspace,
        "desk": command.desk,
        "actor": command.actor,
        "idempotency_key": command.idempotency_key,
        "command": KIND_OF[type(command)].what,
        "request_sha256": request_sha256(command),
        "at": draft.place.at,
        "conversation": command.conversation if isinstance(command, ConversationAsk) else None,
    }
