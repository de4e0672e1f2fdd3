"""Invariant 1 for answers on their way: how each stands is told, as it may go, and as the table has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from checker.record import Json, LogRecord, Place, shown
from checker.report import Tally
from checker.rows import DeliveryRow

ASKED = frozenset(("send", "mail", "sms", "call"))
CARRIED = "carried"
"""What a connector has told of an answer, behind the asking."""
ON_CHANNELS = "send"
"""Of the others, which go beside the channels, only that they are told is checked here."""
NEXT: Mapping[str, frozenset[str]] = {
    "queued": frozenset(("queued", "sent", "delivered", "read", "failed", "unknown")),
    "unknown": frozenset(("queued", "sent", "delivered", "read", "failed", "unknown")),
    "sent": frozenset(("delivered", "read")),
    "delivered": frozenset(("read",)),
    "read": frozenset(),
    "failed": frozenset(),
}
"""What may be told after each; what lies between two that are told need not be."""
ARRIVED = ("sent", "delivered", "read")
"""In their order: the channel has all parts of it."""
_ABOUT = ("workspace", "conversation", "key", "page", "message", "position", "sender")
_KEY, _MESSAGE = _ABOUT.index("key"), _ABOUT.index("message")


class Stands(NamedTuple):
    """What receipts tell of an answer."""

    place: Place
    about: tuple[object, ...]
    state: str
    reason: str | None
    parts: int
    ids: tuple[str, ...]
    version: int


class Arrival(NamedTuple):
    """A channel says that messages have reached the customer, or that he has read them."""

    place: Place
    state: str
    ids: frozenset[str]
    until: bool

    def concerns(self, stands: Stands) -> bool:
        """Whether it names the last part of an answer."""
        return bool(stands.ids) and stands.ids[-1] in self.ids


class DeliveriesCheck:
    """Watches receipts and outbound while others read them, then reads the table.

    Args:
        read: how far delivery has read each partition of outbound; empty when it takes no part.
    """

    def __init__(self, read: Mapping[int, int]) -> None:
        self.told = Tally(1, "each answer that delivery has read is told how it stands, and nothing else is")
        self.follows = Tally(1, "how an answer stands goes only where it may, version by version")
        self.kept = Tally(1, "the table of deliveries says what was told last")
        self.arrived = Tally(1, "an answer is delivered or read when its channel has said so, and only then")
        self._read = read
        self._asked: dict[str, tuple[object, ...]] = {}
        self._beside: set[str] = set()
        self._of: defaultdict[str, list[Stands]] = defaultdict(list)
        self._arrivals: defaultdict[str, list[Arrival]] = defaultdict(list)
        self._carried: defaultdict[str, set[str]] = defaultdict(set)

    @property
    def tallies(self) -> list[Tally]:
        return [self.told, self.follows, self.kept, self.arrived]

    def watch_receipts(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Pass the records on."""
        for record in records:
            if record.what("receipts") == "delivery":
                stands = _stands(record, record.json())
                self._of[str(stands.about[_MESSAGE])].append(stands)
            yield record

    def hear(self, records: Iterable[LogRecord]) -> None:
        """What channels say on receipts."""
        for record in records:
            if record.what("receipts") == "arrival":
                value = record.json()
                ids = frozenset(value.get("channel_message_ids") or ())
                until = value.get("until_ms") is not None
                key = (record.key or b"").decode()
                self._arrivals[key].append(Arrival(record.place, value["state"], ids, until))

    def watch_outbound(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Pass the records on."""
        for record in records:
            what = record.what("outbound")
            is_read = record.offset < self._read.get(record.partition, 0)
            if what == CARRIED and is_read:
                value = record.json()
                self._carried[value["message"]].add(value["state"])
            elif what in ASKED and is_read:
                value = record.json()
                self._asked[value["message"]] = _about(value)
                if what != ON_CHANNELS:
                    self._beside.add(value["message"])
            yield record

    def walk(self, rows: Iterable[DeliveryRow]) -> None:
        """Check what was told of each answer, then the table."""
        for message, about in self._asked.items():
            told = self._of.get(message, [])
            wrong = next((one for one in told if one.about != about), None)
            if wrong is None:
                self.told.judge((1,), "" if told else f"{about}: nothing was told of it")
            else:
                where = f"receipts {shown(wrong.place)}"
                self.told.judge(wrong.place[::-1], f"{wrong.about}, asked was {about}", where)
        for told in self._of.values():
            self._way(told)
        for row in rows:
            self._row(row)

    def _way(self, told: list[Stands]) -> None:
        self.follows.checked += 1
        message = str(told[0].about[_MESSAGE])
        if self._read and message not in self._asked:
            where = f"receipts {shown(told[0].place)}"
            self.told.fail(told[0].place[::-1], f"{where}: nobody has asked for {told[0].about}")
        faults = [(after, _step_fault(before, after)) for before, after in pairwise(told)]
        if message not in self._beside:
            befores: list[Stands | None] = [None, *told[:-1]]
            steps = zip(befores, told, strict=True)
            faults += [(after, _channel_fault(before, after)) for before, after in steps]
            self._arrival(told, self._arrivals.get(str(told[0].about[_KEY]), []))
        for stands, fault in faults:
            if fault:
                self.follows.fail(stands.place[::-1], f"receipts {shown(stands.place)}: {fault}")

    def _arrival(self, told: list[Stands], arrivals: list[Arrival]) -> None:
        carried = self._carried.get(str(told[0].about[_MESSAGE]), set())
        furthest = max(map(_rank, carried), default=-1)
        for stands in told:
            if stands.state not in ARRIVED[1:]:
                continue
            said = (
                one
                for one in arrivals
                if one.place < stands.place and _rank(one.state) >= _rank(stands.state)
            )
            is_carried = furthest >= _rank(stands.state)
            is_said = is_carried or any(one.until or one.concerns(stands) for one in said)
            fault = "" if is_said else f"{stands.state}, which no channel has said"
            self._judge_arrived(stands.place, fault)
        if carried:  # what he who is kept out has read is not told
            is_queued = told[-1].state == "queued"
            fault = f"queued, its connector has said {carried}" if is_queued else ""
            self._judge_arrived(told[-1].place, fault)
        sent = next((one for one in told if one.state in ARRIVED), None)
        for arrival in arrivals:
            if sent is None or arrival.place < sent.place or not arrival.concerns(sent):
                continue
            is_behind = _rank(told[-1].state) < _rank(arrival.state)
            fault = f"{arrival.state}, told is {told[-1].state}" if is_behind else ""
            self._judge_arrived(arrival.place, fault)

    def _judge_arrived(self, place: Place, fault: str) -> None:
        self.arrived.judge(place[::-1], fault, f"receipts {shown(place)}")

    def _row(self, row: DeliveryRow) -> None:
        told = self._of.get(row.message)
        if not told:
            self.kept.judge((row.position,), f"{row} was never told")
            return
        last = told[-1]
        state = last.state if row.state == "sending" else row.state  # that is nobody else's to know
        kept = (state, row.reason, row.parts, tuple(row.ids), row.version)
        self.kept.judge((row.position,), "" if kept == last[2:] else f"{row}, told last was {last}")


def _stands(record: LogRecord, value: Json) -> Stands:
    ids = tuple(value["channel_message_ids"])
    return Stands(
        record.place,
        _about(value),
        value["state"],
        value.get("reason"),
        value["parts"],
        ids,
        value["version"],
    )


def _about(value: Json) -> tuple[object, ...]:
    return tuple(value[name] for name in _ABOUT)


def _rank(state: str) -> int:
    return ARRIVED.index(state) if state in ARRIVED else -1


def _step_fault(before: Stands, after: Stands) -> str:
    return f"version {after.version} after {before.version}" if after.version <= before.version else ""


def _channel_fault(before: Stands | None, after: Stands) -> str:
    """Of an answer to a channel, which tells of its parts."""
    if before is not None and after.state not in NEXT[before.state]:
        return f"{before.state} became {after.state}"
    if before is not None and (after.ids[: len(before.ids)] != before.ids or after.parts != before.parts):
        return f"{after.ids} of {after.parts} parts, before {before.ids} of {before.parts}"
    if after.state in ARRIVED and len(after.ids) != after.parts:
        return f"{after.state} with {len(after.ids)} of {after.parts} parts"
    return ""
