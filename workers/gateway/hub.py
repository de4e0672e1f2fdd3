"""All connections of this gateway, by whom they are of."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.ids import agent_key
from workers.channels.closing import TOO_MANY
from workers.gateway.connection import Connection
from workers.gateway.notices import Recipients


class Hub:
    """Knows who is connected here.

    Args:
        connections_max: of all.
        per_agent_max: of one agent or service; the oldest one ends when he opens another.
    """

    def __init__(self, connections_max: int, per_agent_max: int) -> None:
        self._connections_max = connections_max
        self._per_agent_max = per_agent_max
        self._of: dict[str, dict[Connection, None]] = {}
        """By actor, in the order in which they came."""
        self._watchers: dict[str, set[Connection]] = {}
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether no more are taken."""
        return self.count >= self._connections_max

    def add(self, connection: Connection) -> None:
        """Take a connection in."""
        identity = connection.identity
        own = self._of.setdefault(identity.actor, {})
        own[connection] = None
        self.count += 1
        if identity.role == "admin":
            self._watchers.setdefault(identity.workspace, set()).add(connection)
        if len(own) > self._per_agent_max:
            next(iter(own)).close(TOO_MANY)

    def remove(self, connection: Connection) -> None:
        """Forget a connection; harmless when it is not known."""
        identity = connection.identity
        own = self._of.get(identity.actor, {})
        if connection not in own:
            return
        del own[connection]
        self.count -= 1
        if not own:
            del self._of[identity.actor]
        watchers = self._watchers.get(identity.workspace, set())
        watchers.discard(connection)
        if not watchers:
            self._watchers.pop(identity.workspace, None)

    def all(self) -> list[Connection]:
        """All of them, as they are now."""
        return [connection for own in self._of.values() for connection in own]

    def reached(self, recipients: Recipients) -> Iterator[Connection]:
        """The connections of these recipients; the shorter list is walked."""
        workspace, agents = recipients.workspace, recipients.agents
        watchers = self._watchers.get(workspace, set()) if recipients.watchers else set()
        yield from watchers
        for agent in agents:
            for connection in self._of.get(agent_key(workspace, agent), ()):
                if connection not in watchers and _is_meant(connection, recipients):
                    yield connection

    def is_reached(self, connection: Connection, recipients: Recipients) -> bool:
        """Whether this one is of them."""
        identity = connection.identity
        if identity.workspace != recipients.workspace:
            return False
        if recipients.watchers and identity.role == "admin":
            return True
        return identity.agent in recipients.agents and _is_meant(connection, recipients)


def _is_meant(connection: Connection, recipients: Recipients) -> bool:
    return connection.identity.role in recipients.roles
