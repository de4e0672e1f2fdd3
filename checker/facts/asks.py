"""What agents, services and the CLI ask, on commands and on actions: each with the key of its one outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from checker.facts.letters import Letters
from checker.record import Json, LogRecord, Place

ACTIONS = frozenset(
    (
        *("say", "start_chat", "write_note", "mark_read", "end_session", "set_labels", "set_profile"),
        *("open_ticket", "edit_ticket", "send_mail", "send_sms", "start_call", "erase"),
    )
)
"""What is asked on actions, where intake answers; everything else is asked on commands, of a desk."""
Asker = tuple[str, str, str, str]
"""Workspace; the desk, empty for intake; actor; idempotency key."""
_USUAL = {"authority": "agent", "then": "next"}
_OF_KEY = frozenset(("actor", "idempotency_key"))


class Ask(NamedTuple):
    """One record. `at_ms` is its lane's time, `body` a digest that equal requests share."""

    topic: str
    place: Place
    at_ms: int
    what: str
    asker: Asker
    by: str | None
    body: int
    value: Json

    @property
    def conversation(self) -> str:
        """Which one it is about; empty when it is about none, or many."""
        return str(self.value.get("conversation", ""))


def ask_of(topic: str, record: LogRecord, at_ms: int) -> Ask | None:
    """The ask of a record; none when it is not asked by anybody, or not readable."""
    what = record.what(topic)
    try:
        value = record.json()
        if what is None or "idempotency_key" not in value:
            return None
        desk = "" if topic == "actions" else value["desk"]
        asker = (value["workspace"], desk, value["actor"], value["idempotency_key"])
    except (KeyError, ValueError):
        return None  # what becomes of it is checked by deadletter
    return Ask(topic, record.place, at_ms, what, asker, value.get("by"), _body(what, value), value)


def asks_on(topic: str, records: Iterable[LogRecord], letters: Letters) -> Iterator[Ask]:
    """All asks of a topic that were not refused unread."""
    clocks: dict[int, int] = {}
    for record in records:
        clock = clocks[record.partition] = max(clocks.get(record.partition, 0), record.timestamp_ms)
        ask = ask_of(topic, record, clock)
        if ask is not None and not letters.of(topic, record.place):
            yield ask


def _body(what: str, value: Json) -> int:
    """Fields that say what is usual count as not given."""
    said = {
        name: each
        for name, each in value.items()
        if name not in _OF_KEY and each is not None and each != [] and each != _USUAL.get(name)
    }
    return hash((what, orjson.dumps(said, option=orjson.OPT_SORT_KEYS)))
