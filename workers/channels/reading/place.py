"""How far older messages have been read, so that reading goes on where it was stopped. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple


class Thread(NamedTuple):
    """A conversation as its channel calls it, with whom, and his name there."""

    id: str
    user: str
    name: str | None = None


class Place(NamedTuple):
    """Where the next call reads."""

    since_ms: int
    """What is older is left."""
    until_ms: int
    """What is younger is left, too: it comes, or may still come, by the channel's own webhook."""
    user: str = ""
    """With whom; empty: with everybody."""
    list_after: str = ""
    """The channel's mark in its list of conversations."""
    is_listed: bool = False
    """Whether that list is at its end."""
    lists_messages: bool = False
    """Whether it has turned out to hold messages, not conversations."""
    threads: tuple[Thread, ...] = ()
    """Those listed that are not read yet; the first one is being read."""
    after: str = ""
    """The channel's mark among its messages."""
    read: int = 0
    """How many of its messages were read."""

    @property
    def is_end(self) -> bool:
        """Whether nothing is left to be read."""
        return self.is_listed and not self.threads

    def listed(self, threads: tuple[Thread, ...], after: str | None) -> Place:
        """With a page of the list; `after`: the mark behind it, none: it was the last."""
        return self._replace(threads=threads, list_after=after or "", is_listed=after is None)

    def turned(self, count: int, after: str | None) -> Place:
        """With a page of messages read; `after`: the mark behind it, none: the conversation is done with."""
        if after is not None:
            return self._replace(after=after, read=self.read + count)
        return self._replace(threads=self.threads[1:], after="", read=0)

    def has(self, sent_at_ms: int) -> bool:
        """Whether a message of that moment is wanted."""
        return self.since_ms <= sent_at_ms <= self.until_ms


def to_json(place: Place) -> dict[str, Any]:
    """The place to be stored."""
    return place._asdict() | {"threads": [list(each) for each in place.threads]}


def from_json(stored: dict[str, Any]) -> Place:
    """The place that was stored."""
    threads = tuple(Thread(*each) for each in stored.get("threads", ()))
    return Place(**{**stored, "threads": threads})
