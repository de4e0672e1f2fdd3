"""What is said of assignments: of the first one, and of those that whoever watches has brought about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from schemas.ids import page_of
from workers.local.demo.age import process_age_s
from workers.local.demo.website import PAGE


class Assigned:
    """Says so as it becomes known, in whatever order the records come.

    Args:
        say: takes a line.
        people: agents' names by their ids.
        invented: the keys of conversations with invented visitors of the website.
    """

    def __init__(
        self, say: Callable[[str], None], people: Mapping[str, str], invented: Collection[str]
    ) -> None:
        self._say = say
        self._people = people
        self._invented = invented
        self._is_first = True
        self._wrote: set[str] = set()
        self._holders: dict[str, str] = {}

    def wrote(self, key: str) -> None:
        """A customer has written."""
        if self._is_watched(key):
            self._wrote.add(key)
            self._tell(key)

    def see(self, key: str, holder: str) -> None:
        """Somebody has a conversation."""
        if self._is_first:
            self._is_first = False
            self._say(f"First assignment after {process_age_s():.1f} s")
        if self._is_watched(key):
            self._holders[key] = holder
            self._tell(key)

    def _is_watched(self, key: str) -> bool:
        return page_of(key) == PAGE and key not in self._invented

    def _tell(self, key: str) -> None:
        """Not of who has only written in an earlier run."""
        if key in self._wrote and key in self._holders:
            holder = self._holders.pop(key)
            self._say(f"What you wrote on the website is with {self._people.get(holder, holder)}")
