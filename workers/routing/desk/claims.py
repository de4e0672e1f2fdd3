"""Claims: of those to whom a conversation is offered, the first in the log has it; all others learn who."""

from __future__ import annotations

from schemas.asks import Claim, ReplyClaim
from schemas.assignments import Confirmed, Means, ReplyRefused
from schemas.base import rfc3339
from workers.routing.desk.access import administers, is_asked, is_of_page, is_of_rule, no_agent
from workers.routing.desk.asking import answer_to
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.handing import hand_by_person, held
from workers.routing.desk.outcomes import admin_may, blocked, done, refuse, taken
from workers.routing.desk.starting import start
from workers.routing.outcomes import Refusal, Result

AClaim = Claim | ReplyClaim
NOT_YOURS = "it is not offered to you"
WAITS = "it is not offered: it waits for the next agent of its rule who is free"
NO_SESSION = "it is not offered: its session has ended, and the customer's next message opens another"


def claim(draft: Draft, conversation: Conversation, command: Claim) -> Refusal | Result:
    """Give it to who asks, if it is offered to him; who holds it already is told so."""
    return _claim(draft, conversation, command, "claim")


def reply_claim(draft: Draft, command: ReplyClaim) -> None:
    """The same for an answer that waits to be sent: its sender's outcome, and an event for who keeps it."""
    page = None if command.begins is None else command.begins.page
    answer = answer_to(draft, command, _reply, page)
    if not isinstance(answer, Refusal):
        done(draft, command, answer)
        return
    draft.say(
        ReplyRefused(
            workspace=command.workspace,
            desk=command.desk,
            conversation=command.conversation,
            key=command.key,
            command=command.idempotency_key,
            code=answer.code,
            sentence=answer.sentence,
            allowed=answer.allowed,
            details=dict(answer.details),
            at=draft.place.at,
            cause=draft.place.cause,
        )
    )
    refuse(draft, command, answer)


def _reply(draft: Draft, conversation: Conversation, command: ReplyClaim) -> Refusal | Result:
    if command.begins is not None and command.begins.session > conversation.session:
        return start(draft, conversation, command, command.begins)
    if conversation.holder is not None and conversation.holder == command.by:
        return held(draft.tell(Confirmed, conversation, command=command.idempotency_key))
    rule = draft.desk.roster.rules.get(conversation.rule or "")
    if conversation.standing == "offered" and not (rule and rule.definition.reply_claims):
        sentence = "an answer does not claim it: its rule does not say so"
        may_claim = is_asked(draft.desk, command.by or "", conversation.audience or "")
        return Refusal("forbidden", sentence, allowed=("claim",) if may_claim else ())
    return _claim(draft, conversation, command, "reply")


def _claim(draft: Draft, conversation: Conversation, command: AClaim, method: Means) -> Refusal | Result:
    agent = command.by
    if agent is None:
        allowed = admin_may(draft.desk, command, conversation.page)
        return Refusal("forbidden", "only an agent can claim: say in whose name", allowed=allowed)
    if conversation.holder == agent:
        return held(conversation)
    refusal = no_agent(draft.desk, agent) or _refusal(draft, conversation, command, agent)
    return refusal or hand_by_person(draft, conversation, agent, method, command)


def _refusal(draft: Draft, conversation: Conversation, command: AClaim, agent: str) -> Refusal | None:
    """Why `agent`, who does not hold it, cannot have it. Who was never asked learns nothing of it."""
    desk = draft.desk
    if conversation.holder is not None and _was_asked(desk, conversation, command, agent):
        return taken(draft, conversation, command)
    if conversation.holder is not None or not _sees(desk, conversation, agent):
        return _not_listed(desk, conversation, command, NOT_YOURS)
    if conversation.blocked:
        return blocked(desk, command, conversation)
    if conversation.audience is None:
        return _not_offered(desk, conversation, command)
    if is_asked(desk, agent, conversation.audience) or _answers_as_admin(desk, conversation, command):
        return None
    return _others_are_asked(desk, conversation, command, agent)


def _not_offered(desk: Desk, conversation: Conversation, command: AClaim) -> Refusal:
    if conversation.quiet_until is None:
        sentence = WAITS if conversation.standing == "queued" else NO_SESSION
        return _not_listed(desk, conversation, command, sentence)
    until = rfc3339(conversation.quiet_until)
    sentence = f"it is not offered: a human has answered it outside, and nobody is asked before {until}"
    return _not_listed(desk, conversation, command, sentence)._replace(details={"until": until})


def _others_are_asked(desk: Desk, conversation: Conversation, command: AClaim, agent: str) -> Refusal:
    refusal = _not_listed(desk, conversation, command, "it is offered to others")
    if not is_asked(desk, agent, conversation.audience or "", before=True):
        return refusal
    sentence = "your time to take it is over: others are asked now"
    return Refusal("expired", sentence, refusal.allowed, {"ring": conversation.ring})


def _not_listed(desk: Desk, conversation: Conversation, command: AClaim, sentence: str) -> Refusal:
    return Refusal("not_listed", sentence, allowed=admin_may(desk, command, conversation.page))


def _answers_as_admin(desk: Desk, conversation: Conversation, command: AClaim) -> bool:
    """Whether its page's admin answers it: where answers claim, his does, whoever is asked."""
    return isinstance(command, ReplyClaim) and administers(desk, command, conversation.page)


def _was_asked(desk: Desk, conversation: Conversation, command: AClaim, agent: str) -> bool:
    """Whether it was offered to him when its holder took it, or is his page's to see."""
    if conversation.taken_from is None:
        return _sees(desk, conversation, agent)
    was_asked = is_asked(desk, agent, conversation.taken_from, before=True)
    return was_asked or _answers_as_admin(desk, conversation, command)


def _sees(desk: Desk, conversation: Conversation, agent: str) -> bool:
    if conversation.rule in desk.roster.rules and is_of_rule(desk, agent, conversation.rule or ""):
        return True
    return is_of_page(desk, agent, conversation.page)
