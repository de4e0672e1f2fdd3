"""What every peer publishes: one event per message, and one when a new conversation gets its agent."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson

from bench.roster import DESK, WORKSPACE
from schemas import envelope
from schemas.envelope import Headers, Kind, time_text
from schemas.ids import conversation_id, message_id

STORED = Kind("messages", "stored")
ASSIGNED = Kind("assignments", "assigned")


class Letter(NamedTuple):
    """An event on its way to Kafka. `topic` is the short name."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class Facts(NamedTuple):
    """A customer's message as it was read. Times in milliseconds since 1970, `at_ms` the log's."""

    key: str
    page: str
    channel: str
    user: str
    name: str | None
    text: str | None
    channel_message_id: str
    sent_at_ms: int
    at_ms: int
    lane: int
    """The record's partition."""

    @property
    def conversation(self) -> UUID:
        return conversation_id(self.key)

    @property
    def message(self) -> UUID:
        return message_id(self.page, self.channel_message_id)


def stored(facts: Facts, conversation: UUID, message: UUID, position: int) -> Letter:
    """The event of one message in its place."""
    value = {
        **_subject(facts, conversation),
        "channel": facts.channel,
        "message": message,
        "position": position,
        "session": 1,
        "sender": "customer",
        "kind": "text",
        "text": facts.text,
        "channel_message_id": facts.channel_message_id,
        "sent_at": time_text(facts.sent_at_ms),
        "stored_at": time_text(facts.at_ms),
        "seq": 1,
        "epoch": 1,
    }
    return _letter(facts, STORED, uuid4(), value)


def assigned(facts: Facts, conversation: UUID, agent: str, id_: UUID) -> Letter:
    """The event that gives a new conversation its agent."""
    value = {
        **_subject(facts, conversation),
        "seq": 1,
        "epoch": 1,
        "round": 1,
        "session": 1,
        "after_position": 1,
        "at": time_text(facts.at_ms),
        "standing": "held",
        "holder": agent,
        "care": "accepted",
    }
    return _letter(facts, ASSIGNED, id_, value)


def _subject(facts: Facts, conversation: UUID) -> dict[str, Any]:
    return {
        "workspace": WORKSPACE,
        "desk": DESK,
        "conversation": conversation,
        "key": facts.key,
        "page": facts.page,
    }


def _letter(facts: Facts, kind: Kind, id_: UUID, value: dict[str, Any]) -> Letter:
    time = time_text(facts.at_ms)
    headers = envelope.headers(kind, id_=id_, source="tongdai/bench", subject=facts.key, time=time)
    return Letter(kind.topic, facts.key.encode(), orjson.dumps(value), headers)
