"""The outcomes topic: what became of everything that was asked, by who asked and his key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.asks import ACTIONS, Asker
from checker.record import Json, LogRecord, Place, at_ms

KEY_REUSED = "key_reused"


class Outcome(NamedTuple):
    """One record; `code` is empty when it was done. `said` is its result, or the details of its refusal."""

    place: Place
    is_to_actor: bool
    what: str
    code: str
    at_ms: int
    said: Json


class Outcomes:
    """All of them: the first ones of each key in their order, and apart those that refuse a used key."""

    def __init__(self, records: Iterable[LogRecord]) -> None:
        self.of: dict[Asker, list[Outcome]] = defaultdict(list)
        self.reused: dict[Asker, list[Outcome]] = defaultdict(list)
        for record in records:
            self._add(record)

    def _add(self, record: LogRecord) -> None:
        value = record.json()
        what = value["command"]
        desk = "" if what in ACTIONS else value["desk"]
        asker = (value["workspace"], desk, value["actor"], value["idempotency_key"])
        outcome = Outcome(
            place=record.place,
            is_to_actor=record.key == value["actor"].encode(),
            what=what,
            code=value["code"] if record.what("outcomes") == "refused" else "",
            at_ms=at_ms(value["at"]),
            said=value.get("result") or value.get("details") or {},
        )
        (self.reused if outcome.code == KEY_REUSED else self.of)[asker].append(outcome)
