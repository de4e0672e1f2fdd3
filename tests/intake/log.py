"""Input topics in memory: what connectors, the desk and timers have appended, batch by batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from schemas import envelope
from schemas.envelope import Kind, moment
from schemas.ids import conversation_id
from workers.runtime.batch import Batch, Record, TimerDue
from workers.runtime.topology import Topology

PARTITIONS = 4
BEGIN_MS = 1_763_800_000_000
WORKSPACE = "acme"
PAGE = "messenger:100"
SITE = "web:shop"

_TOPOLOGY = Topology("", {"inbound": PARTITIONS})
_ORDER = ("assignments", "actions", "inbound")


def key_of(user: str, page: str = PAGE) -> str:
    """The Kafka key of this customer's conversation."""
    return f"{page}:{user}"


def lane_of(key: str) -> int:
    """Where this key belongs."""
    return _TOPOLOGY.partition("inbound", key.encode())


def ce_headers(ce_type: str) -> list[tuple[str, bytes]]:
    """The headers that matter to a reader."""
    return [("ce_specversion", b"1.0"), ("ce_id", str(uuid4()).encode()), ("ce_type", ce_type.encode())]


@dataclass
class Log:
    """Appends records with rising offsets; `batch` hands out those that were not handed out before."""

    now_ms: int = BEGIN_MS
    _next: Counter[tuple[str, int]] = field(default_factory=Counter)
    _waiting: list[Record] = field(default_factory=list)

    def append(
        self,
        kind: Kind,
        key: str,
        value: dict[str, Any] | bytes,
        *,
        lane: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
        key_bytes: bytes | None = None,
    ) -> Record:
        """Append a value under `key`, unless given with other headers or key bytes."""
        lane = lane_of(key) if lane is None else lane
        record = Record(
            kind.topic,
            lane,
            self._next[kind.topic, lane],
            self.now_ms,
            key.encode() if key_bytes is None else key_bytes,
            value if isinstance(value, bytes) else orjson.dumps(value),
            ce_headers(kind.ce_type) if headers is None else headers,
        )
        self._next[kind.topic, lane] += 1
        self._waiting.append(record)
        return record

    def say(
        self,
        user: str,
        mid: str,
        *,
        what: str = "message",
        page: str = PAGE,
        lane: int | None = None,
        key_bytes: bytes | None = None,
        **fields: object,
    ) -> Record:
        """A customer (or the page's side) says something."""
        channel, _, account = page.partition(":")
        value = {
            "channel": channel,
            "account": account,
            "user": user,
            "channel_message_id": mid,
            "text": f"text of {mid}",
        }
        if what == "postback":
            value["payload"] = "BUY"
        kind = Kind("inbound", what)
        return self.append(kind, key_of(user, page), value | fields, lane=lane, key_bytes=key_bytes)

    def decide(self, user: str, seq: int, what: str, *, page: str = PAGE, **fields: object) -> Record:
        """The desk appends an event to the conversation's chain."""
        key = key_of(user, page)
        value = {
            "workspace": WORKSPACE,
            "desk": "main",
            "conversation": str(conversation_id(key)),
            "key": key,
            "page": page,
            "seq": seq,
            "previous": str(UUID(int=seq - 1)) if seq > 1 else None,
            "epoch": 0,
            "round": 1,
            "session": 1,
            "after_position": 1,
            "at": moment(self.now_ms).isoformat(),
            "standing": "idle",
            "holder": None,
            "care": "new",
            "cause": {"topic": "commands", "partition": 0, "offset": seq},
        }
        return self.append(Kind("assignments", what), key, value | EXTRA.get(what, {}) | fields)

    def act(
        self, user: str, what: str, *, page: str = PAGE, by: str | None = "lan", **fields: object
    ) -> Record:
        """Somebody does something in the conversation: an agent, or without `by` a bot."""
        key = key_of(user, page)
        value = {
            "workspace": WORKSPACE,
            "conversation": str(conversation_id(key)),
            "key": key,
            "actor": "service:bot" if by is None else f"agent:{WORKSPACE}/{by}",
            "idempotency_key": str(uuid4()),
            "by": by,
        }
        return self.append(Kind("actions", what), key, value | fields)

    def silence(self, user: str, session: int, due_ms: int) -> Record:
        """The timer of silence of a session comes."""
        return self._timer("silence_timer", user, session, due_ms)

    def session_timer(self, user: str, session: int, due_ms: int) -> Record:
        """The timer that may end a session comes."""
        return self._timer("session_timer", user, session, due_ms)

    def _timer(self, what: str, user: str, session: int, due_ms: int) -> Record:
        key = key_of(user)
        value = {
            "workspace": WORKSPACE,
            "conversation": str(conversation_id(key)),
            "session": session,
            "due_at": moment(due_ms).isoformat(),
        }
        return self.append(Kind("actions", what), key, value)

    def deliver(self, timer: TimerDue) -> Record:
        """The runtime publishes a due timer to its lane."""
        return self.append(timer.kind, timer.key.decode(), timer.value, lane=timer.lane)

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        self.now_ms += round(timedelta(**duration).total_seconds() * 1000)

    def take(self) -> list[Record]:
        """What was appended since it was last handed out, in that order."""
        taken, self._waiting = self._waiting, []
        return taken

    def batch(self, records: int | None = None) -> Batch:
        """The next `records` (none: all), per lane assignments first, as the runtime hands them out."""
        taken, self._waiting = self._waiting[:records], self._waiting[len(self._waiting[:records]) :]
        taken.sort(key=lambda record: (_ORDER.index(record.topic), record.lane, record.offset))
        return Batch("intake", taken, [record.timestamp_ms for record in taken])


_WHY = {
    "method": "round_robin",
    "rule": "sales",
    "rule_version": 3,
    "cursor_before": None,
    "cursor_after": "lan",
    "eligible": 2,
    "passed_over": {},
    "candidates": [{"agent": "lan"}, {"agent": "minh"}],
}
EXTRA: dict[str, dict[str, Any]] = {
    "session_opened": {"facts": {"channel": "messenger"}},
    "session_closed": {"ended_by": "silence", "customer_messages": 1, "agent_messages": 0},
    "assigned": {
        "standing": "held",
        "holder": "lan",
        "care": "accepted",
        "epoch": 1,
        "former_holder": None,
        "why": _WHY,
    },
    "queued": {
        "standing": "queued",
        "rule": "sales",
        "rule_version": 3,
        "passed_over": {"at_capacity": 2},
        "queued_at": moment(BEGIN_MS).isoformat(),
        "queued_offset": 1,
    },
    "offered": {"standing": "offered", "audience": f"page:{PAGE}", "unrouted": True},
    "care_changed": {"former_care": "accepted", "standing": "held", "holder": "lan", "care": "closed_won"},
    "blocked": {"until": None, "by": f"agent:{WORKSPACE}/lan", "command": "k"},
    "unblocked": {},
    "confirmed": {},
}


def published(batch: Batch, topic: str) -> list[tuple[str, dict[str, Any]]]:
    """What the batch publishes to `topic`: what each is, and its value; by lane, in order."""
    found = []
    for lane in sorted(batch.events):
        for event in batch.events[lane]:
            if event.topic == topic:
                kind = envelope.read_kind(event.headers, topic)
                found.append((kind.what, orjson.loads(event.value)))
    return found


def letters(batch: Batch) -> list[tuple[str, str]]:
    """Reason and detail of what the batch puts on deadletter."""
    return [
        (
            (envelope.header(event.headers, "deadletter_reason") or b"").decode(),
            (envelope.header(event.headers, "deadletter_detail") or b"").decode(),
        )
        for events in batch.events.values()
        for event in events
        if event.topic == "deadletter"
    ]
