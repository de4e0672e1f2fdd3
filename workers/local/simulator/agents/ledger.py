"""What the agents were told: a report compares it with what lies on the topics."""

from __future__ import annotations

from dataclasses import dataclass, field

Key = tuple[str, str]
"""Who asked, as `actor` of his commands, and his idempotency key."""


@dataclass
class AgentLedger:
    """Grows while the agents work.

    Attributes:
        online: the agents who are connected now.
        told: of each command whose outcome was told: `done`, or the code of its refusal.
        turned_away: of what the gateway refused itself, the code: that never was a command.
        unanswered: commands whose outcome was not told, however often they were repeated.
        returns: how often somebody came back and went on from his last notice.
    """

    online: set[str] = field(default_factory=set)
    told: dict[Key, str] = field(default_factory=dict)
    turned_away: dict[Key, str] = field(default_factory=dict)
    unanswered: int = 0
    returns: int = 0
