"""Who watches a page live: its admins, told every new line of it."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus

from workers.gateway.connection import Connection
from workers.gateway.problem import ApiError

WATCHED_MAX = 200
"""By one connection."""

PagePlace = tuple[str, str]
"""Workspace and page."""


class Watching:
    """Connections by the pages that they watch."""

    def __init__(self) -> None:
        self._at: dict[PagePlace, set[Connection]] = {}
        self._of: dict[Connection, set[PagePlace]] = {}
        self.pages: set[str] = set()
        """All that are watched here."""

    @property
    def places(self) -> Collection[PagePlace]:
        """The pages that are watched here."""
        return tuple(self._at)

    def at(self, place: PagePlace) -> Collection[Connection]:
        """The connections here that watch a page."""
        return tuple(self._at.get(place, ()))

    def watch(self, connection: Connection, page: str) -> None:
        """He, whose page it is, watches it from now on. Raises ApiError when he watches too many."""
        place = connection.identity.workspace, page
        places = self._of.get(connection, set())
        if place not in places and len(places) >= WATCHED_MAX:
            sentence = f"One connection watches at most {WATCHED_MAX} pages."
            raise ApiError(HTTPStatus.CONFLICT, "too_many_watched", sentence)
        self._of.setdefault(connection, places).add(place)
        self._at.setdefault(place, set()).add(connection)
        self.pages.add(page)

    def watch_off(self, connection: Connection, page: str) -> None:
        """He does not any more."""
        place = connection.identity.workspace, page
        places = self._of.get(connection, set())
        if place not in places:
            return
        places.remove(place)
        if not places:
            del self._of[connection]
        self._at[place].discard(connection)
        if not self._at[place]:
            del self._at[place]
            self.pages.discard(page)

    def leave(self, connection: Connection) -> None:
        """He is gone."""
        for _, page in list(self._of.get(connection, ())):
            self.watch_off(connection, page)
