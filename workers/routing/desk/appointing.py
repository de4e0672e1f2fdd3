"""Who has a conversation by a person's word: given back, named by an admin, taken over, taken off."""

from __future__ import annotations

from schemas.asks import Appoint, Release, TakeOff, TakeOver
from schemas.commands import AskedCommand
from workers.routing.desk.access import administers, holds, no_agent
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import drain, reassign
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.handing import hand_by_person, held, take
from workers.routing.desk.outcomes import blocked
from workers.routing.outcomes import Refusal, Result


def release(draft: Draft, conversation: Conversation, command: Release) -> Refusal | Result:
    """Its holder gives it back: somebody else has it, as its rule wants it after a refusal."""
    if not holds(command, conversation):
        return not_holder(draft.desk, conversation, command, instead="take_off")
    reassign(draft, take(draft, conversation, "released", command))
    return _now(draft, conversation)


def take_off(draft: Draft, conversation: Conversation, command: TakeOff) -> Refusal | Result:
    """A page admin takes it off its holder."""
    if not administers(draft.desk, command, conversation.page):
        return forbidden(conversation, command, instead="release")
    if conversation.holder is None:
        sentence = "nobody holds it: there is nobody to take it off"
        return Refusal("bad_transition", sentence, allowed=("appoint", "take_over"))
    reassign(draft, take(draft, conversation, "taken_off", command), command.then)
    return _now(draft, conversation)


def appoint(draft: Draft, conversation: Conversation, command: Appoint) -> Refusal | Result:
    """A page admin gives it to an agent, whoever holds it."""
    if not administers(draft.desk, command, conversation.page):
        return forbidden(conversation, command, instead="transfer")
    if conversation.holder == command.agent:
        return held(conversation)
    refusal = no_agent(draft.desk, command.agent) or _kept_out(draft.desk, conversation, command)
    if refusal is not None:
        return refusal
    hand_by_person(draft, conversation, command.agent, "appoint", command)
    return _now(draft, conversation)


def take_over(draft: Draft, conversation: Conversation, command: TakeOver) -> Refusal | Result:
    """A page admin takes it for himself, from its holder or out of the queue."""
    if not administers(draft.desk, command, conversation.page):
        return forbidden(conversation, command, instead="claim")
    if command.by is None:
        return Refusal("forbidden", "only an agent can take over: say in whose name", allowed=("appoint",))
    if conversation.holder == command.by:
        return held(conversation)
    refusal = no_agent(draft.desk, command.by) or _kept_out(draft.desk, conversation, command)
    if refusal is not None:
        return refusal
    hand_by_person(draft, conversation, command.by, "take_over", command)
    return _now(draft, conversation)


def _kept_out(desk: Desk, conversation: Conversation, command: AskedCommand) -> Refusal | None:
    return blocked(desk, command, conversation) if conversation.blocked else None


def forbidden(conversation: Conversation, command: AskedCommand, *, instead: str) -> Refusal:
    """Of what only the page's admins may do; `instead` is what its holder may."""
    allowed = (instead,) if holds(command, conversation) or instead == "claim" else ()
    return Refusal(
        "forbidden", f"only an admin of the page {conversation.page!r} may do that", allowed=allowed
    )


def not_holder(desk: Desk, conversation: Conversation, command: AskedCommand, *, instead: str) -> Refusal:
    """Of what only its holder may do; `instead` is what the page's admins may."""
    allowed = (instead,) if administers(desk, command, conversation.page) else ()
    return Refusal("not_holder", "you do not hold it", allowed=allowed)


def _now(draft: Draft, conversation: Conversation) -> Result:
    """How things stand, when whoever has less to do by it has been given the next."""
    drain(draft)
    return held(draft.desk.conversations[conversation.key])
