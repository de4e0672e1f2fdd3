"""Invariant 9: the lag is zero, and the lanes' rows agree with the groups' offsets."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from checker.report import Tally
from checker.rows import LaneRow, PendingRow
from checker.source import Source

INPUTS = {
    "intake": ("assignments", "actions", "inbound"),
    "desk": ("commands",),
    "notifier": ("assignments", "messages", "receipts"),
    "delivery": ("outbound", "receipts"),
}
AWAY = frozenset(("delivery",))
"""Groups that need not take part."""


def check_lag(source: Source) -> Tally:
    """Each group has committed all of all its inputs."""
    tally = Tally(9, "the lag of every group on every input is zero")
    for group, topics in INPUTS.items():
        committed = source.committed(group)
        if group in AWAY and not committed:
            continue
        for topic in topics:
            for partition, end in source.ends(topic).items():
                entry = committed.get((topic, partition))
                offset = 0 if entry is None else entry.offset
                committed_to = f"{group} has committed {offset} of {end} on {topic} partition {partition}"
                tally.judge((end - offset, partition), "" if offset == end else committed_to)
    return tally


def check_held_back(source: Source, topics: Iterable[str]) -> Tally:
    """No reader of committed records stands still before a transaction that nobody ends any more."""
    tally = Tally(9, "no record waits behind a transaction without an end")
    for topic in topics:
        for partition, offsets in source.held_back(topic).items():
            fault = f"{offsets} offsets are held back" if offsets else ""
            tally.judge((partition,), fault, f"{topic} partition {partition}")
    return tally


def check_lanes(source: Source) -> Tally:
    """Each lane is released, has nothing pending, and its row says what its group has committed."""
    tally = Tally(9, "each lane is released and its row agrees with its group's offsets and batch number")
    for row in source.rows(LaneRow):
        tally.judge((row.id,), _fault(row, source), f"lane {row.kind} {row.id}")
    for pending in source.rows(PendingRow):
        tally.fail(
            (pending.lane,), f"lane {pending.kind} {pending.lane}: batch {pending.batch_no} is still pending"
        )
    return tally


def _fault(row: LaneRow, source: Source) -> str:
    if row.stopped is not None:
        return f"stopped: {row.stopped}"
    if row.owner is not None:
        return f"not released by {row.owner}"
    committed = source.committed(row.kind)
    stored = orjson.loads(row.next_offsets)
    for topic in INPUTS.get(row.kind, ()):
        entry = committed.get((topic, row.id))
        offset, batch_no = (0, 0) if entry is None else (entry.offset, int(entry.metadata or 0))
        if batch_no != row.batch_no:
            return f"batch {row.batch_no}, the group's offset of {topic} says {batch_no}"
        if stored.get(topic, 0) != offset:
            return f"next offset {stored.get(topic, 0)} of {topic}, the group says {offset}"
    return ""
