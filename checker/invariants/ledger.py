"""What the sender was promised: each record that Kafka acknowledged lies in inbound, and nothing else does.

A ledger is a file of JSON lines, one for each record that was sent:
`{"partition": 3, "offset": 17, "key": "…", "id": "…", "result": "ok"}`; `id` is the record's `ce_id` (none:
not given). `result` is `ok` when Kafka acknowledged it, `unknown` when no answer came: then it may be there
or not, and no partition and offset are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from checker.record import LogRecord, Place, shown
from checker.report import Tally


class Sent(NamedTuple):
    """One line of the ledger, without its place."""

    key: str
    id: str | None


class Ledger:
    """All that was sent, by place; `unknown` counts what may be there or not."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.acknowledged: dict[Place, Sent] = {}
        self.unknown: Counter[Sent] = Counter()
        for line in lines:
            entry = orjson.loads(line)
            sent = Sent(entry["key"], entry.get("id"))
            if entry["result"] == "ok":
                self.acknowledged[entry["partition"], entry["offset"]] = sent
            else:
                self.unknown[sent] += 1


class LedgerCheck:
    """Watches inbound while others read it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.kept = Tally(0, "each acknowledged record is in inbound")
        self.phantoms = Tally(0, "nothing is in inbound that was not sent or forwarded")
        self._left = set(ledger.acknowledged)
        self._known = {*ledger.acknowledged.values(), *ledger.unknown}

    @property
    def tallies(self) -> list[Tally]:
        return [self.kept, self.phantoms]

    def watch(self, records: Iterable[LogRecord]) -> Iterable[LogRecord]:
        """Pass the records on, each compared with the ledger."""
        for record in records:
            self._see(record)
            yield record
        self.kept.checked = len(self._ledger.acknowledged)
        for place in self._left:
            sent = self._ledger.acknowledged[place]
            self.kept.fail(place[::-1], f"inbound {shown(place)}: {sent} was acknowledged and is not there")

    def _see(self, record: LogRecord) -> None:
        self.phantoms.checked += 1
        sent = Sent((record.key or b"").decode(errors="replace"), record.header("ce_id"))
        expected = self._ledger.acknowledged.get(record.place)
        if expected == sent:
            self._left.discard(record.place)
        elif expected is None and sent not in self._known:
            self.phantoms.fail(record.place[::-1], f"inbound {shown(record.place)}: {sent} was never sent")
