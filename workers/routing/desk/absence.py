"""A customer waits for an agent who is offline: he is given the time that his rule leaves him."""

from __future__ import annotations

from datetime import timedelta

from schemas.assignments import HolderAbsent
from schemas.definitions import Rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.matching import rule_for


def customer_wrote(draft: Draft, conversation: Conversation) -> Conversation:
    """Give an absent holder the time that the rule leaves him, once."""
    if conversation.absent_until is not None or not is_absent(draft, conversation):
        return conversation
    rule = _rule(draft, conversation)
    if rule is None or rule.offline_grace_s is None or not conversation.session_open:
        return conversation
    grace = timedelta(seconds=rule.offline_grace_s)
    return draft.tell(HolderAbsent, conversation, until=draft.place.at + grace)


def holder_answered(draft: Draft, conversation: Conversation) -> None:
    """He is not missed any more."""
    if conversation.absent_until is not None:
        draft.tell(HolderAbsent, conversation, until=None)


def is_absent(draft: Draft, conversation: Conversation) -> bool:
    """Whether somebody offline has it; whom a `done` conversation belongs to does not matter."""
    holder = conversation.holder
    return holder is not None and conversation.care != "done" and draft.desk.presence_of(holder) == "offline"


def _rule(draft: Draft, conversation: Conversation) -> Rule | None:
    """That by which he has it, whatever the hour; in a later session than that, the one that matches now."""
    entry = draft.desk.roster.rules.get(conversation.rule or "")
    if entry is None or not entry.active:
        entry = rule_for(draft.desk, conversation, draft.place.at)
    return entry.definition if entry is not None else None
