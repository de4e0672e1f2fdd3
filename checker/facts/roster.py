"""The roster topic: versions of agents, departments, pages, rules and the policy, and where agents are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.chains import Desk
from checker.record import Json, LogRecord, Place, at_ms

KINDS = ("agent", "department", "page", "rule", "policy", "presence")


class RosterEvent(NamedTuple):
    """A thing of a desk as it is from here on. `order` is a rule's place among the rules.

    `cause` is the place of its command; none in events of before they told it. A presence is of an agent, and
    its definition says what he is: at all, and at each gateway.
    """

    id: str
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
    name, definition = _what(kind, value)
    return RosterEvent(
        id=record.id,
        place=record.place,
        desk=(value["workspace"], value["desk"]),
        kind=kind,
        name=name,
        version=value["version"],
        removed=value.get("removed", False),
        at_ms=at_ms(value["at"]),
        definition=definition,
        order=value.get("position", 0),
        cause=(cause["partition"], cause["offset"]) if cause else None,
    )


def _what(kind: str, value: Json) -> tuple[str, Json]:
    if kind == "presence":
        return value["agent"], {"presence": value["presence"], "gateways": value.get("gateways", {})}
    if kind == "policy":
        return "", value["policy"]
    return value[kind]["id"], value[kind]
