"""The assignments topic, by conversation: each one's chain of events."""

from __future__ import annotations

from sys import intern
from typing import NamedTuple

from checker.facts.circle import NOBODY, Circle, Told, personal, widened
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
    agent: str | None
    """Who follows, unfollows, mutes or unmutes."""
    said: Json
    """What else its kind says, as far as the checks need it; without what is empty."""

    @property
    def rank(self) -> tuple[int, int]:
        """How large a witness it is: see checker.report."""
        return self.cause_offset, self.seq


class Chain:
    """The events of one conversation in the order of the topic."""

    __slots__ = (
        *("circles", "conversation", "desk", "key", "links", "offers", "page", "partition", "personal"),
        "workspace",
    )

    def __init__(self, event: Json, partition: int) -> None:
        self.conversation: str = event["conversation"]
        self.workspace: str = intern(event["workspace"])
        self.desk: str = intern(event["desk"])
        self.key: str = event["key"]
        self.page: str = intern(event["page"])
        self.partition = partition
        self.links: list[Link] = []
        self.circles: list[Circle] = []
        """After each event."""
        self.personal: dict[int, Told] = {}
        """Who is told of an event in person, by its number, where there is anybody."""
        self.offers: list[tuple[str, str, int]] = []
        """Offers and withdrawals: what, to which audience, at which number."""

    def agrees(self, event: Json, partition: int) -> bool:
        """Whether the event speaks of the same page, key, desk and partition as those before."""
        mine = (self.workspace, self.desk, self.key, self.page, self.partition)
        return mine == (event["workspace"], event["desk"], event["key"], event["page"], partition)

    def add(self, link: Link, event: Json) -> None:
        """Append the next event."""
        was, before = self.circle(len(self.links)), self.links[-1].holder if self.links else None
        now = widened(was, link.what, event)
        if was.audience is not None and was.audience != now.audience:
            self.offers.append(("withdrawn", was.audience, link.seq))
        if link.what == "offered":
            self.offers.append(("offered", event["audience"], link.seq))
        told = personal(was, now, before, link.what, event)
        if told:
            self.personal[link.seq] = told
        self.links.append(link)
        self.circles.append(now)

    def circle(self, seq: int) -> Circle:
        """Who was told of it after the first `seq` events."""
        return self.circles[seq - 1] if 0 < seq <= len(self.circles) else NOBODY

    def live(self, seq: int) -> frozenset[str]:
        """Who held or followed it after the first `seq` events."""
        link = self.at(seq)
        followers = self.circle(seq).followers
        return followers if link is None or link.holder is None else followers | {link.holder}

    def at(self, seq: int) -> Link | None:
        """The event with this number; none for 0 and for what is not there."""
        return self.links[seq - 1] if 0 < seq <= len(self.links) else None

    def where(self, link: Link) -> str:
        """How a witness names one of its events."""
        return f"{self.key} seq {link.seq} ({link.what}, command at offset {link.cause_offset})"

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


_SAID = {
    **dict.fromkeys(("session_opened", "facts_changed"), ("facts",)),
    "queued": ("queued_at", "queued_offset", "priority", "limit"),
    "offered": (
        "audience",
        "ring",
        "expires_at",
        "let_pass",
        "queued_at",
        "queued_offset",
        "priority",
        "unrouted",
    ),
    "assigned": ("by", "command", "exceeds", "fallback_of"),
    "unassigned": ("former_holder", "how", "by", "command", "asked_again"),
    "transferring": (
        "to_agent",
        "to_department",
        "agents",
        "rejected",
        "by",
        "command",
        "expires_at",
        "again",
    ),
    "transfer_ended": ("how", "agent", "by", "command"),
    "care_changed": ("former_care", "reason", "outcome", "by", "command"),
    "blocked": ("until", "by", "command", "reason"),
    "unblocked": ("by", "command"),
    "holder_absent": ("until",),
    "quieted": ("until",),
    "order_changed": ("order", "status", "former_status", "by", "command"),
    "confirmed": ("command",),
    "followed": ("agent", "command", "as_admin"),
    **dict.fromkeys(("unfollowed", "muted", "unmuted"), ("agent", "command")),
}
_NOTHING: Json = {}


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
        agent=_interned(event.get("agent")),
        said=_said(what, why if what == "assigned" else event),
    )


def _said(what: str, event: Json) -> Json:
    found = {
        name: event[name]
        for name in _SAID.get(what, ())
        if event.get(name) is not None and event[name] != [] and event[name] is not False
    }
    return found or _NOTHING


def _interned(name: str | None) -> str | None:
    return None if name is None else intern(name)
