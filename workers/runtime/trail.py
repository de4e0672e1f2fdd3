"""The trail of a lane: in which portions it has read its inputs, told with its events.

What a lane does depends on the order in which records of its several inputs came to it, and nothing in the
inputs says which that was. So one event of each batch tells, in a header, where the batch ended and where
those before it ended that had no events. After Postgres was restored the same portions are read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from schemas.envelope import header
from workers.runtime.batch import LARGE_BYTES, Event
from workers.runtime.identity import FORWARDED_FROM

READ_TO = "read_to"
"""The header: for each portion the next offset of every input, `17,3,240;17,4,251`."""
REMEMBERED_MAX = 16
"""Portions without events that are still told; of more of them, the latest."""

Offsets = Mapping[str, int]


def mark(event: Event, portions: Iterable[Offsets], inputs: Sequence[str]) -> Event:
    """`event` with where the portions ended that were read since the last one was marked."""
    told = ";".join(",".join(str(ends[topic]) for topic in inputs) for ends in portions)
    return event._replace(headers=[*event.headers, (READ_TO, told.encode())])


def may_tell(event: Event) -> bool:
    """Whether an event is the lane's own, since what it only passes on stays as it came, and has room."""
    return (
        event.topic != "deadletter"
        and len(event.value) <= LARGE_BYTES
        and header(event.headers, FORWARDED_FROM) is None
    )


def portions_of(told: bytes, inputs: Sequence[str]) -> list[dict[str, int]]:
    """What `mark` has told in the header; nothing of an earlier version with other inputs."""
    found = [
        [int(offset) for offset in portion.split(",")] for portion in told.decode().split(";") if portion
    ]
    return [dict(zip(inputs, portion, strict=True)) for portion in found if len(portion) == len(inputs)]


def onward(portions: Iterable[Offsets], start: Offsets) -> list[Offsets]:
    """Those that lie behind `start`, in the order in which they were read, each once."""
    ordered = sorted(portions, key=lambda ends: sum(ends.values()))
    found: list[Offsets] = []
    reached = start
    for ends in ordered:
        if ends != reached and all(offset >= reached.get(topic, 0) for topic, offset in ends.items()):
            found.append(ends)
            reached = ends
    return found
