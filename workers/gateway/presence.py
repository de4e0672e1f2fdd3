"""What each agent is at this gateway, of all his connections together, from what was seen of him."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.assignments import Presence

AgentPlace = tuple[str, str]
"""Workspace and agent."""


@dataclass(slots=True)
class Seen:
    """What was seen of one agent; times in seconds of one clock."""

    connections: int = 0
    active_s: float = 0.0
    """The last sign of the person."""
    left_s: float = 0.0
    """When the last connection went."""


def presence(seen: Seen, now_s: float, *, idle_s: float, grace_s: float) -> Presence:
    """What he is now: a reload of his page, or a moment without network, is no going."""
    if not seen.connections and now_s - seen.left_s >= grace_s:
        return "offline"
    return "away" if now_s - seen.active_s >= idle_s else "online"


class Presences:
    """All agents who are connected here, or were a moment ago."""

    def __init__(self, *, idle_s: float, grace_s: float) -> None:
        self._idle_s = idle_s
        self._grace_s = grace_s
        self._seen: dict[AgentPlace, Seen] = {}
        self._said: dict[AgentPlace, bool] = {}

    def came(self, agent: AgentPlace, now_s: float) -> None:
        """A connection of his opened, which is a sign of him."""
        seen = self._seen.setdefault(agent, Seen())
        seen.connections += 1
        seen.active_s = now_s

    def went(self, agent: AgentPlace, now_s: float) -> None:
        """A connection of his ended."""
        seen = self._seen[agent]
        seen.connections -= 1
        seen.left_s = now_s

    def active(self, agent: AgentPlace, now_s: float, *, away: bool | None = None) -> None:
        """He did something; or says that he is away, or back."""
        seen = self._seen.get(agent)
        if seen is not None:
            seen.active_s = now_s
            if away is not None:
                self._said[agent] = away

    def said(self) -> dict[AgentPlace, bool]:
        """Who said since the last time that he is away, or back."""
        said, self._said = self._said, {}
        return said

    def now(self, now_s: float) -> dict[AgentPlace, Presence]:
        """What everybody is; who is offline is told for the last time."""
        found = {
            agent: presence(seen, now_s, idle_s=self._idle_s, grace_s=self._grace_s)
            for agent, seen in self._seen.items()
        }
        for agent, what in found.items():
            if what == "offline":
                del self._seen[agent]
        return found
