"""How often what happens: shares of the simulated traffic."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Shares of all messages, each from 0 to 1. Odd webhooks come beside the messages."""

    new_customer: float = 0.1
    """The message is somebody's first."""
    duplicate: float = 0.05
    """The platform posts a webhook again although it was taken."""
    pair: float = 0.05
    """Messenger puts the customer's next message into the same webhook."""
    postback: float = 0.02
    attachment: float = 0.08
    receipt: float = 0.06
    """A read or a delivery: kept, not a message."""
    unreadable: float = 0.01
    """A message that no record can hold; to be found on deadletter."""
    unknown_page: float = 0.002
    """A message to a page that nobody has connected; to be found on deadletter."""
    unknown_kind: float = 0.002
    """An event that the platform's documentation does not name; to be found on deadletter."""

    def __post_init__(self) -> None:
        for field in fields(self):
            share = getattr(self, field.name)
            if not 0 <= share <= 1:
                raise ValueError(f"{field.name} is {share}: a share is from 0 to 1")
