"""Who is told of a conversation after each of its events, folded from the events alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from checker.record import Json

Told = dict[str, str]
"""Kind of notice by agent."""


class Circle(NamedTuple):
    """After some event: who follows, who has muted it, to whom it is offered, who may accept a transfer."""

    followers: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    blocked: bool = False
    audience: str | None = None
    asked: frozenset[str] = frozenset()

    @property
    def told(self) -> frozenset[str]:
        """Who is told of the customer's messages."""
        return frozenset() if self.blocked else self.followers - self.muted


NOBODY = Circle()
_TRANSFER_OVER = {"assigned", "transfer_ended", "session_closed"}


def widened(circle: Circle, what: str, event: Json) -> Circle:
    """The circle after one more event; the same object when nothing changes."""
    changes = _CHANGES.get(what, _nothing)(circle, event)
    if circle.audience is not None and what != "offered" and event["standing"] != "offered":
        changes["audience"] = None
    if circle.asked and (event.get("holder") is None or what in _TRANSFER_OVER):
        changes["asked"] = frozenset()
    return circle._replace(**changes) if changes else circle


def _nothing(_: Circle, __: Json) -> Json:
    return {}


def _assigned(circle: Circle, event: Json) -> Json:
    holder = {event["holder"]}
    return {"followers": circle.followers | holder, "muted": circle.muted - holder}


def _unassigned(circle: Circle, event: Json) -> Json:
    return {"followers": circle.followers - {event["former_holder"]}} if event["how"] == "refused" else {}


_CHANGES: dict[str, Callable[[Circle, Json], Json]] = {
    "assigned": _assigned,
    "unassigned": _unassigned,
    "followed": lambda circle, event: {"followers": circle.followers | {event["agent"]}},
    "unfollowed": lambda circle, event: {"followers": circle.followers - {event["agent"]}},
    "muted": lambda circle, event: {"muted": circle.muted | {event["agent"]}},
    "unmuted": lambda circle, event: {"muted": circle.muted - {event["agent"]}},
    "blocked": lambda _, __: {"blocked": True},
    "unblocked": lambda _, __: {"blocked": False},
    "offered": lambda _, event: {"audience": event["audience"]},
    "transferring": lambda _, event: {"asked": frozenset(event["agents"])},
}


def personal(was: Circle, now: Circle, before: str | None, what: str, event: Json) -> Told:
    """Who is told of the event itself, one notice each; `before` held the conversation.

    Being given it (`assigned`) is checked apart, and comes before all else for whom it is given to.
    """
    told: Told = {}
    holder = event.get("holder")
    is_by_another = event.get("by") not in (None, f"agent:{event['workspace']}/{holder}")
    if what == "care_changed" and holder and is_by_another:
        told[holder] = "care_changed"
    if was.asked and not now.asked:
        told |= dict.fromkeys(was.asked | ({before} if before else set()), "transfer_ended")
    told |= dict.fromkeys(was.asked - now.asked, "transfer_ended")
    told |= dict.fromkeys(now.asked - was.asked, "transfer_offered")
    accepted = what == "assigned" and was.asked and event["why"]["method"] == "transfer"
    if before is not None and before != holder and not accepted:
        told[before] = "unassigned"
    if what == "assigned" and holder:
        told.pop(holder, None)
    return told
