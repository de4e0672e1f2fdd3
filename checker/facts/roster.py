"""The roster topic: versions of agents, departments, pages and rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.chains import Desk
from checker.record import Json, LogRecord, Place, at_ms

KINDS = ("agent", "department", "page", "rule")


class RosterEvent(NamedTuple):
    """A thing of a desk as it is from here on. `order` is a rule's place among the rules.

    `cause` is the place of its command; none in events of before they told it.
    """

    place: Place
    desk: Desk
    kind: str
    name: str
    version: int
    removed: bool
    at_ms: int
    definition: Json
    order: int
    cause: Place | None


def roster_events(records: Iterable[LogRecord]) -> list[RosterEvent]:
    """All events of the topic, in the order of their partitions."""
    return [event for event in map(_event, records) if event is not None]


def _event(record: LogRecord) -> RosterEvent | None:
    kind = (record.what("roster") or "").removesuffix("_changed")
    if kind not in KINDS:
        return None
    value = record.json()
    cause = value.get("cause")
    return RosterEvent(
        place=record.place,
        desk=(value["workspace"], value["desk"]),
        kind=kind,
        name=value[kind]["id"],
        version=value["version"],
        removed=value.get("removed", False),
        at_ms=at_ms(value["at"]),
        definition=value[kind],
        order=value.get("position", 0),
        cause=(cause["partition"], cause["offset"]) if cause else None,
    )
