"""What the sender was promised: each record that Kafka acknowledged lies in inbound, and nothing else does.

A ledger is a file of JSON lines, flushed before what they tell of is sent, and after its answer. `op` numbers
the attempts, `id` is the record's `ce_id` (none: not given), `at_ns`, if it is there, is for people:

`{"type": "invoke", "op": 7, "key": "messenger:1:u1", "id": "…", "at_ns": 12}`: it will be sent
`{"type": "ok", "op": 7, "partition": 3, "offset": 17, "at_ns": 15}`: Kafka has acknowledged it
`{"type": "unknown", "op": 7, "at_ns": 15}`: no answer came; it may be there or not

What has no second line is unknown, too: whoever sent it was killed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from checker.record import LogRecord, Place, shown
from checker.report import Tally


class Sent(NamedTuple):
    """A record as it was sent, wherever it lies."""

    key: str
    id: str | None


class Ledger:
    """All that was sent.

    Attributes:
        acknowledged: with the place that Kafka named; one that lost the end of a log names places twice.
        sent: whether it is there or not.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.acknowledged: set[tuple[Place, Sent]] = set()
        self.sent: set[Sent] = set()
        invoked: dict[int, Sent] = {}
        for line in lines:
            entry = orjson.loads(line)
            match entry["type"]:
                case "invoke":
                    invoked[entry["op"]] = sent = Sent(entry["key"], entry.get("id"))
                    self.sent.add(sent)
                case "ok":
                    place = entry["partition"], entry["offset"]
                    self.acknowledged.add((place, invoked.pop(entry["op"])))
                case _:
                    del invoked[entry["op"]]


class LedgerCheck:
    """Watches inbound while others read it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.kept = Tally(0, "each acknowledged record is in inbound")
        self.phantoms = Tally(0, "nothing is in inbound that was not sent or forwarded")
        self._left = set(ledger.acknowledged)
        self._places = {place for place, _ in ledger.acknowledged}

    @property
    def tallies(self) -> list[Tally]:
        return [self.kept, self.phantoms]

    def watch(self, records: Iterable[LogRecord]) -> Iterable[LogRecord]:
        """Pass the records on, each compared with the ledger."""
        for record in records:
            self._see(record)
            yield record
        self.kept.checked = len(self._ledger.acknowledged)
        for place, sent in self._left:
            self.kept.fail(place[::-1], f"inbound {shown(place)}: {sent} was acknowledged and is not there")

    def _see(self, record: LogRecord) -> None:
        self.phantoms.checked += 1
        sent = Sent((record.key or b"").decode(errors="replace"), record.header("ce_id"))
        self._left.discard((record.place, sent))
        if record.place not in self._places and sent not in self._ledger.sent:
            self.phantoms.fail(record.place[::-1], f"inbound {shown(record.place)}: {sent} was never sent")
