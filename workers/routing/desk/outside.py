"""A human answers a customer outside, e.g. in the Page's own inbox: a claim, or a while of quiet."""

from __future__ import annotations

from datetime import timedelta

from schemas.assignments import CareChanged, Confirmed, Quieted, Why
from schemas.commands import HistoryKept, OutsideAnswer
from workers.routing.desk.absence import holder_answered
from workers.routing.desk.access import no_agent
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import deal
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import hand


def outside_answer(draft: Draft, command: OutsideAnswer) -> None:
    """Whom the policy names as this human has it by that; else it is `waiting`, and quiet for a while.

    Who holds it already keeps it, and is not missed any more: his customer has been answered.
    """
    known = draft.desk.conversations.get(command.key)
    if known is None or known.blocked:
        return
    conversation = known._replace(after_position=max(known.after_position, command.position))
    if conversation.holder is not None:
        holder_answered(draft, conversation)
        return
    agent = draft.desk.roster.policy.outside_agents.get(command.sender_id or "")
    if agent is not None and no_agent(draft.desk, agent) is None and conversation.session_open:
        _claim(draft, conversation, agent)
        return
    conversation = no_more_new(draft, conversation)
    if conversation.session_open:
        quiet = timedelta(seconds=draft.desk.roster.policy.outside_quiet_s)
        draft.tell(Quieted, conversation, standing="idle", until=draft.place.at + quiet)


def history_kept(draft: Draft, command: HistoryKept) -> None:
    """What is known by its history alone has a chain, too, and is seen in lists; nobody is sought for it."""
    known = draft.desk.conversations.get(command.key)
    conversation = known or Conversation.fresh(command.conversation, command.key, command.page)
    conversation = conversation._replace(after_position=max(conversation.after_position, command.position))
    if command.answered:
        no_more_new(draft, conversation)
    elif known is None:
        draft.tell(Confirmed, conversation)


def no_more_new(draft: Draft, conversation: Conversation) -> Conversation:
    """The conversation, `waiting` if it was `new`: a human has answered it."""
    if conversation.care != "new":
        return conversation
    return draft.tell(CareChanged, conversation, care="waiting", former_care="new")


def expire(draft: Draft, key: str) -> None:
    """It has been quiet for long enough: who still waits is dealt, with his age."""
    deal(draft, draft.desk.conversations[key])


def _claim(draft: Draft, conversation: Conversation, agent: str) -> None:
    why = Why(
        method="outside",
        rule=conversation.rule,
        exceeds=draft.desk.exceeded(agent, conversation),
        queued_at=conversation.waited_since,
    )
    hand(draft, conversation, agent, why)
