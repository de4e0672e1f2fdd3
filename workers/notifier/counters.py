"""What agents see as numbers: by how much one batch changes each counter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from workers.notifier.conversation import Conversation
from workers.notifier.places import Counted


class CounterRef(NamedTuple):
    """One row of `inbox_counter`: a place of a page, in one lane, so that lanes never share a row."""

    workspace: str
    place: str
    page: str
    lane: int


Differences = dict[CounterRef, tuple[int, int]]
"""Conversations and unread messages to be added."""


def differences(conversations: Iterable[Conversation]) -> Differences:
    """What separates the counters from what the conversations are to be counted as now."""
    totals: Counter[CounterRef] = Counter()
    unread: Counter[CounterRef] = Counter()
    for conversation in conversations:
        now = conversation.count
        if now == conversation.stored_count:
            continue
        for count, sign in ((conversation.stored_count, -1), (now, 1)):
            for ref in _refs(conversation, count):
                totals[ref] += sign
                unread[ref] += sign * (count.unread if count else 0)
    return {ref: (totals[ref], unread[ref]) for ref in totals if totals[ref] or unread[ref]}


def _refs(conversation: Conversation, count: Counted | None) -> list[CounterRef]:
    places = count.places if count is not None else ()
    return [
        CounterRef(conversation.workspace, place, conversation.page, conversation.lane) for place in places
    ]
