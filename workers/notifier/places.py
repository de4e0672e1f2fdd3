"""Where conversations are counted, and what each agent sees of it: the buckets, as pure decisions.

A conversation stands in one place: with an agent, before an audience, or nowhere. It is counted there and in
one total of its page, never for each agent who sees it: whoever looks adds up the places that concern him.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Bucket = Literal["unclaimed", "mine", "watching", "assigned"]
HELD, UNHELD = "held", "unheld"
"""The totals of a page: conversations that somebody holds, and those that nobody does."""


class Counted(NamedTuple):
    """As what one conversation stands in the counters."""

    places: tuple[str, ...]
    unread: int


class Viewer(NamedTuple):
    """An agent who looks: `pages` are those of which he is an admin, `audiences` those he belongs to."""

    agent: str
    pages: frozenset[str]
    audiences: frozenset[str]


class Sum(NamedTuple):
    """One counter: `place` on `page`, over any lanes."""

    place: str
    page: str
    conversations: int
    unread: int


def with_agent(agent: str) -> str:
    """The place of what `agent` holds."""
    return f"agent:{agent}"


def counted(holder: str | None, audience: str | None, unread: int) -> Counted:
    """How to count a conversation that `holder` has, or that is offered to `audience`, if either."""
    if holder is not None:
        return Counted((HELD, with_agent(holder)), unread)
    return Counted((UNHELD,) if audience is None else (UNHELD, audience), unread)


def bucket(holder: str | None, audience: str | None, page: str, viewer: Viewer) -> Bucket | None:
    """Where `viewer` sees a conversation of `page`; none: in no bucket, though he may follow it."""
    is_his_page = page in viewer.pages
    if holder is None:
        return "unclaimed" if is_his_page or audience in viewer.audiences else None
    if holder == viewer.agent:
        return "mine" if is_his_page else "assigned"
    return "watching" if is_his_page else None


def add_up(sums: Iterable[Sum], viewer: Viewer) -> dict[Bucket, tuple[int, int]]:
    """Conversations and unread messages of each bucket; those that are empty are left out."""
    found: dict[Bucket, tuple[int, int]] = {}
    for each in sums:
        for name, sign in _shares(each.place, each.page, viewer):
            conversations, unread = found.get(name, (0, 0))
            found[name] = conversations + sign * each.conversations, unread + sign * each.unread
    return {name: numbers for name, numbers in found.items() if numbers[0]}


def _shares(place: str, page: str, viewer: Viewer) -> tuple[tuple[Bucket, int], ...]:
    """To which buckets a counter adds, or from which it takes away: `watching` is held but not by him."""
    is_his_page = page in viewer.pages
    if place == with_agent(viewer.agent):
        return (("mine", 1), ("watching", -1)) if is_his_page else (("assigned", 1),)
    if is_his_page:
        totals: dict[str, tuple[tuple[Bucket, int], ...]] = {
            HELD: (("watching", 1),),
            UNHELD: (("unclaimed", 1),),
        }
        return totals.get(place, ())
    return (("unclaimed", 1),) if place in viewer.audiences else ()
