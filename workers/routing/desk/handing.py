"""Hand-overs: who gets a conversation and who gives it up, each with one event that says how."""

from __future__ import annotations

from typing import Any, Literal

from schemas.assignments import Assigned, Means, TransferEnded, Unassigned, Unfollowed, Why
from schemas.building import build
from schemas.commands import AskedCommand, Vacate
from workers.routing.desk.absence import customer_wrote
from workers.routing.desk.apply import GIVEN
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft

DEALT = GIVEN | {"reopened"}
How = Literal["released", "taken_off", "refused", "on_leave", "agent_removed", "offline"]


def hand(draft: Draft, conversation: Conversation, agent: str, why: Why) -> Conversation:
    """Let `agent` hold it from here on; an offer of its holder that was not answered is overtaken.

    Whom the desk itself deals it to is missed at once when he is offline: its customer waits for somebody.
    """
    if why.method != "transfer":
        conversation = overtake_transfer(draft, conversation)
    now = draft.tell(
        Assigned,
        conversation,
        **conversation.given_to(agent),
        former_holder=conversation.holder,
        why=why,
    )
    now = let_go(draft, now, conversation.holder)
    return customer_wrote(draft, now) if why.method in DEALT else now


def hand_by_person(
    draft: Draft, conversation: Conversation, agent: str, method: Means, command: AskedCommand
) -> dict[str, Any]:
    """Let a person's decision give it to `agent`, whatever limits that goes beyond; the outcome's result."""
    why = build(
        Why,
        {
            "method": method,
            "rule": conversation.rule,
            "by": command.actor,
            "command": command.idempotency_key,
            "exceeds": draft.desk.exceeded(agent, conversation),
            "passed_over": {},
            "queued_at": conversation.waited_since,
        },
    )
    return held(hand(draft, conversation, agent, why))


def take(
    draft: Draft,
    conversation: Conversation,
    how: How,
    command: AskedCommand | Vacate | None = None,
    *,
    asked_again: bool = False,
) -> Conversation:
    """Let nobody hold it: it waits for what comes next; one that was `done` is in its next round by that."""
    conversation = overtake_transfer(draft, conversation)
    if conversation.care == "done":
        conversation = conversation._replace(round=conversation.round + 1)
    now = draft.tell(
        Unassigned,
        conversation,
        **conversation.without_holder(),
        former_holder=conversation.holder,
        how=how,
        **_asked(command),
        asked_again=asked_again,
    )
    return let_go(draft, now, conversation.holder)


def held(conversation: Conversation) -> dict[str, Any]:
    """How things stand, as an outcome says it."""
    return {
        "holder": conversation.holder,
        "standing": conversation.standing,
        "epoch": conversation.epoch,
        "seq": conversation.seq,
    }


def overtake_transfer(draft: Draft, conversation: Conversation) -> Conversation:
    """End what its holder has offered and nobody answered, since something else has come."""
    if conversation.transfer is None:
        return conversation
    return draft.tell(TransferEnded, conversation, how="overtaken")


def _asked(command: AskedCommand | Vacate | None) -> dict[str, str | None]:
    """By whose command, and by which: of a leave that goes on, by that of the leave."""
    match command:
        case Vacate():
            return {"by": command.by, "command": command.command}
        case AskedCommand():
            return {"by": command.actor, "command": command.idempotency_key}
    return {"by": None, "command": None}


def let_go(draft: Draft, conversation: Conversation, former: str | None) -> Conversation:
    """Where the policy says so, who had it does not go on following it."""
    if draft.desk.roster.policy.former_holders_follow or former == conversation.holder:
        return conversation
    if former is None or former not in conversation.followers:
        return conversation
    return draft.tell(Unfollowed, conversation, agent=former)
