"""What the demo has seen on the topics since it began."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from config.topics import ASSIGNMENTS, DEADLETTER, INBOUND, MESSAGES, NOTIFICATIONS, OUTCOMES
from schemas.envelope import UnreadableEnvelopeError, read_kind
from schemas.ids import channel_of, page_of
from workers.local.demo.acts import BY_CLAIM, CLAIMS
from workers.local.demo.assigned import Assigned
from workers.local.demo.latency import Latencies

_UTTERANCES = {"message", "postback"}
_FIRST = {"assigned", "offered"}
"""The notices by which somebody is told of a customer first."""


class Tally:
    """Counts records of the public topics as a `read_committed` reader sees them.

    Args:
        pages: of the sample; customers of other pages are never assigned.
        assigned: told of who has written and of who has a conversation.

    Attributes:
        counts: messages on inbound, stored, assigned, notified, on deadletter; by their own names `claims`,
            `claims lost`, `transfers`, `answers`.
        agents: assignments by agent.
        channels: messages on inbound by channel.
        latencies: from Kafka's append of a customer's message to the arrival of its notice.
    """

    def __init__(self, pages: Iterable[str], assigned: Assigned) -> None:
        self.counts: Counter[str] = Counter()
        self.agents: Counter[str] = Counter()
        self.channels: Counter[str] = Counter()
        self.latencies = Latencies()
        self._pages = set(pages)
        self._assignments = assigned
        self._first_ms: dict[str, int] = {}
        """Of conversations that nobody has been told of: when their first message was appended."""
        self._told_ms: dict[str, float] = {}
        """Of conversations whose first message has not been read here yet: when their agent was told."""
        self._told: set[str] = set()

    def see(self, topic: str, record: ConsumerRecord) -> None:
        """Count a record of one topic (its short name), which has arrived just now."""
        try:
            what = read_kind(record.headers, topic).what
        except UnreadableEnvelopeError:
            what = ""  # deadletter holds records with headers of other topics, or none
        self._see(topic, what, record, time.time() * 1000)

    def _see(self, topic: str, what: str, record: ConsumerRecord, now_ms: float) -> None:
        match topic:
            case INBOUND.name if what in _UTTERANCES:
                self.counts[INBOUND.name] += 1
                self.channels[channel_of(record.key.decode())] += 1
                self._assignments.wrote(record.key.decode())
                self._arrived(record.key.decode(), record.timestamp)
            case MESSAGES.name if what == "stored":
                self._stored(orjson.loads(record.value))
            case ASSIGNMENTS.name if what == "assigned":
                self._assigned(orjson.loads(record.value))
            case ASSIGNMENTS.name if what == "transferring":
                self.counts["transfers"] += orjson.loads(record.value).get("again") is None
            case OUTCOMES.name if what == "refused":
                refused = orjson.loads(record.value)
                self.counts["claims lost"] += refused["code"] == "taken" and refused["command"] in CLAIMS
            case NOTIFICATIONS.name if what in _FIRST or not record.key.startswith(b"audience:"):
                self._notified(what, orjson.loads(record.value), now_ms)
            case DEADLETTER.name:
                self.counts[DEADLETTER.name] += 1

    def _arrived(self, key: str, appended_ms: int) -> None:
        """A customer's message: of the first one it is remembered when it came."""
        if key in self._told or page_of(key) not in self._pages:
            return
        first_ms = self._first_ms.setdefault(key, appended_ms)
        told_ms = self._told_ms.pop(key, None)
        if told_ms is not None:
            self._first_told(key, first_ms, told_ms)

    def _stored(self, message: dict[str, Any]) -> None:
        if message["kind"] not in {"log", "note"}:
            self.counts[MESSAGES.name if message["sender"] == "customer" else "answers"] += 1

    def _assigned(self, event: dict[str, Any]) -> None:
        self._assignments.see(event["key"], event["holder"])
        self.counts[ASSIGNMENTS.name] += 1
        self.counts["claims"] += event["why"]["method"] in BY_CLAIM
        self.agents[event["holder"]] += 1

    def _notified(self, what: str, notice: dict[str, Any], now_ms: float) -> None:
        self.counts[NOTIFICATIONS.name] += 1
        key = notice["key"]
        if what == "message":
            self.latencies.add(now_ms - _ms(notice["message"]["stored_at"]))
        elif what not in _FIRST:
            return
        elif key in self._first_ms:
            self._first_told(key, self._first_ms[key], now_ms)
        elif key not in self._told:
            self._told_ms[key] = now_ms

    def _first_told(self, key: str, first_ms: int, told_ms: float) -> None:
        self.latencies.add(told_ms - first_ms)
        self._first_ms.pop(key)
        self._told.add(key)


def _ms(moment: str) -> float:
    """Milliseconds since 1970. A message's `stored_at` is when Kafka appended it to inbound."""
    return datetime.fromisoformat(moment).timestamp() * 1000
