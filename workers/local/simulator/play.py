"""What the simulator asks of a platform: how its events look, and how it signs them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from workers.local.simulator.customer import Customer
from workers.local.simulator.ledger import Kind
from workers.local.simulator.webhook import Webhook

Fields = dict[str, Any]
"""The part of an event that says what happened, in the platform's own words."""


class Event(NamedTuple):
    """One event and the id that the ledger knows it by (the channel's own, where it has one)."""

    id: str
    fields: Fields


class Play(Protocol):
    """One platform, posting for one app."""

    channel: str
    events_max: int
    """How many events fit into one webhook."""
    timeout_s: float
    """How long the platform waits for its answer."""
    names_page: bool
    """Whether its webhooks say which page they are of; else their address does."""

    def user_id(self) -> str:
        """A new customer's id."""

    def text(self, customer: Customer, id_: str) -> Fields:
        """The next text of a customer."""

    def attachment(self, id_: str) -> Fields:
        """A picture, a place, …"""

    def postback(self, id_: str) -> Fields:
        """A pressed button; where the platform has none, the text that stands for it."""

    def unreadable(self, id_: str) -> Fields:
        """A message that no record can hold."""

    def receipt(self, now_ms: int) -> Fields:
        """A documented event that is no message."""

    def unknown_kind(self, now_ms: int) -> Fields:
        """An event that the documentation does not name."""

    def webhook(self, kind: Kind, customer: Customer, events: list[Event], now_ms: int) -> Webhook:
        """A signed webhook of one customer's events."""
