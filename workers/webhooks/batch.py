"""A stretch of one partition, read once for all endpoints."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, NamedTuple

from workers.webhooks.event import Event, Place, UnreadableRecordError, read_event
from workers.webhooks.metrics import UNREADABLE


class Batch(NamedTuple):
    """The records of `place` from `first` to before `next_`: events by their workspace, in order."""

    place: Place
    first: int
    next_: int
    events: dict[str, list[Event]]


def read_batch(
    place: Place, first: int, next_: int, records: Sequence[Any], workspaces: Container[str]
) -> Batch:
    """What the records say to these workspaces; what nobody could read is counted and passed over."""
    events: dict[str, list[Event]] = {}
    for record in records:
        try:
            event = read_event(place.topic, record, workspaces)
        except UnreadableRecordError:
            UNREADABLE.labels(place.topic).inc()
            continue
        if event is not None:
            events.setdefault(event.workspace, []).append(event)
    return Batch(place, first, next_, events)
