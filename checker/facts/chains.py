"""The assignments topic, by conversation: each one's chain of events."""

from __future__ import annotations

from sys import intern
from typing import NamedTuple

from checker.record import Json, LogRecord, at_ms

Desk = tuple[str, str]
"""Workspace and desk."""


class Link(NamedTuple):
    """One event of a chain; `rule` and what follows only where its kind has them."""

    id: str
    what: str
    offset: int
    seq: int
    previous: str | None
    epoch: int
    round: int
    session: int
    after_position: int
    at_ms: int
    standing: str
    holder: str | None
    care: str
    cause_partition: int
    cause_offset: int
    former_holder: str | None
    method: str | None
    rule: str | None
    rule_version: int
    was_queued: bool


class Chain:
    """The events of one conversation in the order of the topic."""

    __slots__ = ("conversation", "desk", "key", "links", "page", "partition", "workspace")

    def __init__(self, event: Json, partition: int) -> None:
        self.conversation: str = event["conversation"]
        self.workspace: str = intern(event["workspace"])
        self.desk: str = intern(event["desk"])
        self.key: str = event["key"]
        self.page: str = intern(event["page"])
        self.partition = partition
        self.links: list[Link] = []

    def agrees(self, event: Json, partition: int) -> bool:
        """Whether the event speaks of the same page, key, desk and partition as those before."""
        mine = (self.workspace, self.desk, self.key, self.page, self.partition)
        return mine == (event["workspace"], event["desk"], event["key"], event["page"], partition)

    def at(self, seq: int) -> Link | None:
        """The event with this number; none for 0 and for what is not there."""
        return self.links[seq - 1] if 0 < seq <= len(self.links) else None

    def giver(self, seq: int) -> Link | None:
        """The event that gave the conversation to the one who holds it at `seq`."""
        link = self.at(seq)
        if link is None or link.holder is None:
            return None
        first = seq - 1
        while first and self.links[first - 1].epoch == link.epoch and self.links[first - 1].holder:
            first -= 1
        return self.links[first]


Chains = dict[str, Chain]
"""By conversation id."""


def link_of(record: LogRecord, what: str, event: Json) -> Link:
    """The event of a record, kept small."""
    why = event.get("why") or {}
    rule = why.get("rule", event.get("rule"))
    return Link(
        id=record.id,
        what=intern(what),
        offset=record.offset,
        seq=event["seq"],
        previous=event.get("previous"),
        epoch=event["epoch"],
        round=event["round"],
        session=event["session"],
        after_position=event["after_position"],
        at_ms=at_ms(event["at"]),
        standing=intern(event["standing"]),
        holder=_interned(event.get("holder")),
        care=intern(event["care"]),
        cause_partition=event["cause"]["partition"],
        cause_offset=event["cause"]["offset"],
        former_holder=_interned(event.get("former_holder")),
        method=_interned(why.get("method")),
        rule=_interned(rule),
        rule_version=why.get("rule_version") or event.get("rule_version") or 0,
        was_queued=why.get("queued_at") is not None,
    )


def _interned(name: str | None) -> str | None:
    return None if name is None else intern(name)
