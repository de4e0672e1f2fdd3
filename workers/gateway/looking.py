"""Who looks at a conversation, and who types in it: among the sockets of this gateway, never stored."""

from __future__ import annotations

from uuid import UUID

from workers.gateway.connection import Connection, transient

LOOKED_AT_MAX = 20
"""By one connection."""

Place = tuple[str, UUID]
"""Workspace and conversation."""


class Looking:
    """Connections by the conversations that they look at."""

    def __init__(self) -> None:
        self._at: dict[Place, set[Connection]] = {}
        self._of: dict[Connection, list[Place]] = {}

    def look(self, connection: Connection, conversation: UUID) -> None:
        """He, who may see it, looks at it from now on; at the cost of the one that he began with, if many."""
        place = connection.identity.workspace, conversation
        places = self._of.setdefault(connection, [])
        if place in places:
            return
        places.append(place)
        self._at.setdefault(place, set()).add(connection)
        self._tell_who(place)
        if len(places) > LOOKED_AT_MAX:
            self.look_away(connection, places[0][1])

    def look_away(self, connection: Connection, conversation: UUID) -> None:
        """He does not any more."""
        place = connection.identity.workspace, conversation
        places = self._of.get(connection, [])
        if place not in places:
            return
        places.remove(place)
        if not places:
            del self._of[connection]
        self._at[place].discard(connection)
        if not self._at[place]:
            del self._at[place]
        self._tell_who(place)

    def leave(self, connection: Connection) -> None:
        """He is gone."""
        for _, conversation in list(self._of.get(connection, ())):
            self.look_away(connection, conversation)

    def type_in(self, connection: Connection, conversation: UUID) -> None:
        """Tell the others who look at it that he types; nothing when he does not look at it himself."""
        place = connection.identity.workspace, conversation
        lookers = self._at.get(place, set())
        if connection not in lookers:
            return
        said = {"conversation": str(conversation), "agent": connection.identity.agent}
        for other in lookers:
            if other is not connection:
                other.send(transient("typing", said))

    def _tell_who(self, place: Place) -> None:
        lookers = self._at.get(place, set())
        agents = sorted({one.identity.agent or "" for one in lookers})
        for one in lookers:
            one.send(transient("looking", {"conversation": str(place[1]), "agents": agents}))
