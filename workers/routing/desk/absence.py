"""A customer writes while the agent who has him is offline: he keeps him, or in time the pool has him."""

from __future__ import annotations

from datetime import timedelta

from schemas.assignments import HolderAbsent
from schemas.definitions import Rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import drain, reassign
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import take
from workers.routing.desk.matching import rule_for


def customer_wrote(draft: Draft, conversation: Conversation) -> None:
    """Give an absent holder the time that the rule leaves him, once."""
    if conversation.absent_until is not None or not _is_absent(draft, conversation):
        return
    rule = _rule(draft, conversation)
    if rule is not None and rule.offline_grace_s is not None and conversation.session_open:
        grace = timedelta(seconds=rule.offline_grace_s)
        draft.tell(HolderAbsent, conversation, until=draft.place.at + grace)


def holder_answered(draft: Draft, conversation: Conversation) -> None:
    """He is not missed any more."""
    if conversation.absent_until is not None:
        draft.tell(HolderAbsent, conversation, until=None)


def expire(draft: Draft, key: str) -> None:
    """His time is over: if he is not back, it is back in the pool of its page, where he may claim it too."""
    conversation = draft.desk.conversations[key]
    if not _is_absent(draft, conversation):
        draft.tell(HolderAbsent, conversation, until=None)
        return
    reassign(draft, take(draft, conversation, "offline", asked_again=True), "pool")
    drain(draft)


def _is_absent(draft: Draft, conversation: Conversation) -> bool:
    """Whether somebody offline has it; whom a `done` conversation belongs to does not matter."""
    holder = conversation.holder
    return holder is not None and conversation.care != "done" and draft.desk.presence_of(holder) == "offline"


def _rule(draft: Draft, conversation: Conversation) -> Rule | None:
    entry = rule_for(draft.desk, conversation, draft.place.at)
    return entry.definition if entry is not None else None
