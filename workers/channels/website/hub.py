"""All tabs of visitors at this ingress, by their conversations and by where they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable
from uuid import UUID

from workers.channels.network import WHOLE, network_of
from workers.channels.rate_limit import bucket_of
from workers.channels.website.connection import Tab
from workers.channels.website.transcript import Ask, Line


class Hub:
    """Knows who is connected here.

    Args:
        tabs_max: of all.
        per_visitor_max: of one visitor.
        per_address_max: of one address, or of one network of IPv6.
        on_known: takes a tab whose visitor was heard of for the first time, or is kept out from now on or no
            more.
    """

    def __init__(
        self, tabs_max: int, per_visitor_max: int, per_address_max: int, on_known: Callable[[Tab], None]
    ) -> None:
        self._tabs_max = tabs_max
        self._per_visitor_max = per_visitor_max
        self._per_address_max = per_address_max
        self._on_known = on_known
        self._of: dict[UUID, dict[Tab, str]] = {}
        """With the address of each."""
        self._addresses: Counter[str] = Counter()
        self.count = 0

    def has_room(self, address: str) -> bool:
        """Whether one more may come from an address."""
        return self.count < self._tabs_max and self._addresses[bucket_of(address)] < self._per_address_max

    def add(self, tab: Tab, address: str) -> bool:
        """Take a tab in; false: its visitor has too many."""
        own = self._of.setdefault(tab.conversation, {})
        if len(own) >= self._per_visitor_max:
            return False
        tab.address = network_of(address, WHOLE)
        own[tab] = bucket_of(address)
        self._addresses[own[tab]] += 1
        self.count += 1
        return True

    def remove(self, tab: Tab) -> None:
        """Forget a tab."""
        own = self._of[tab.conversation]
        address = own.pop(tab)
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        if not own:
            del self._of[tab.conversation]
        self.count -= 1

    def tabs(self, conversation: UUID) -> Collection[Tab]:
        """The tabs of a visitor."""
        return tuple(self._of.get(conversation, ()))

    def tabs_of(self, pages: Container[str]) -> Collection[Tab]:
        """All tabs on some sites."""
        return tuple(tab for own in self._of.values() for tab in own if tab.guest.page in pages)

    def conversations(self) -> Collection[UUID]:
        """All of which a tab is here."""
        return tuple(self._of)

    def asks(self, conversations: Iterable[UUID]) -> list[Ask]:
        """What tabs that are here may lack of some conversations."""
        found = []
        for conversation in conversations:
            tabs = self._of.get(conversation)
            if tabs:
                workspace = next(iter(tabs)).workspace
                found.append(Ask(workspace, conversation, min(tab.position for tab in tabs)))
        return found

    def tell(self, conversation: UUID, lines: Collection[Line]) -> None:
        """Send the lines of a conversation to its tabs, to each what it does not have."""
        for tab in self.tabs(conversation):
            blocked = [
                one.blocked for one in lines if one.position > tab.position and one.blocked is not None
            ]
            shown = [said for line in lines if (said := tab.tell(line)) is not None]
            was, tab.is_blocked = tab.is_blocked, blocked[-1] if blocked else tab.is_blocked
            if was and not tab.is_blocked:
                tab.send("unseen")  # what he has told of what he saw was kept from agents
            if not tab.is_known or was != tab.is_blocked:
                tab.is_known = True
                self._on_known(tab)
            if shown:
                tab.send("messages", messages=shown)
