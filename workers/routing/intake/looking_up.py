"""Who is the customer? Of channels that tell only when they are asked, delivery is to ask."""

from __future__ import annotations

import orjson

from schemas.base import Channel
from schemas.envelope import Kind, time_text
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

LOOK_UP = Kind("outbound", "look_up")
ASKED_CHANNELS: frozenset[Channel] = frozenset(("messenger", "zalo"))


def look_up(work: Work, conversation: Conversation, cause: Record, at_ms: int) -> None:
    """Have the customer of a session that begins looked up, where his channel has that."""
    if conversation.channel not in ASKED_CHANNELS:
        return
    value = {**conversation.facts, "page": conversation.page, "at": time_text(at_ms)}
    work.batch.emit(cause, LOOK_UP, key=cause.key, value=orjson.dumps(value), at_ms=at_ms)
