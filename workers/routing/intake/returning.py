"""Customers who come back: told once, to whoever follows their conversations."""

from __future__ import annotations

import orjson

from schemas.base import Channel
from schemas.envelope import Kind, time_text
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

RETURNED = Kind("messages", "returned")
SEEING_CHANNELS: frozenset[Channel] = frozenset(("web",))
"""They see customers come and go; on the others somebody is back when he writes again."""


def came_back(work: Work, conversation: Conversation, cause: Record, at_ms: int) -> None:
    """He is there again, if he had left: a repetition tells nothing."""
    if conversation.away:
        conversation.away = False
        work.change(conversation)
        _tell(work, conversation, cause, at_ms)


def wrote_again(work: Work, conversation: Conversation, cause: Record, at_ms: int) -> None:
    """He has opened another session."""
    if conversation.session > 1 and conversation.channel not in SEEING_CHANNELS:
        _tell(work, conversation, cause, at_ms)


def _tell(work: Work, conversation: Conversation, cause: Record, at_ms: int) -> None:
    if conversation.blocked:
        return
    value = {
        **conversation.facts,
        "page": conversation.page,
        "session": conversation.session,
        "at": time_text(at_ms),
        "seq": conversation.seq,
        "epoch": conversation.epoch,
    }
    work.batch.emit(cause, RETURNED, key=cause.key, value=orjson.dumps(value), at_ms=at_ms)
