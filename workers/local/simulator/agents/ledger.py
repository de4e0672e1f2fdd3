"""What the agents were told: a report compares it with what lies on the topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workers.local.simulator.agents.act import Act, Answer

Key = tuple[str, str]
"""Who asked, as `actor` of his commands, and his idempotency key."""


class Attempt(NamedTuple):
    """A command on its way, perhaps not for the first time; `url` is the gateway's."""

    actor: str
    key: str
    act: Act
    url: str


@dataclass
class AgentLedger:
    """Grows while the agents work; who keeps a history overrides its methods.

    Attributes:
        online: the agents who are connected now.
        told: of each command whose outcome was told: `done`, or the code of its refusal.
        turned_away: of what the gateway refused itself, the code: that never was a command.
        unanswered: commands whose outcome was not told, however often they were repeated.
        returns: how often somebody came back and went on from his last notice.
        repeats: commands that were sent again since their answer did not come.
    """

    online: set[str] = field(default_factory=set)
    told: dict[Key, str] = field(default_factory=dict)
    turned_away: dict[Key, str] = field(default_factory=dict)
    unanswered: int = 0
    returns: int = 0
    repeats: int = 0

    def asks(self, attempt: Attempt) -> None:
        """A command is about to be sent."""

    def hears(self, attempt: Attempt, answer: Answer | None) -> None:
        """It was answered, or no answer will come (none)."""

    def sees(self, actor: str, event: str, id_: str, data: Mapping[str, Any]) -> None:
        """An event came to one of an agent's sockets."""
