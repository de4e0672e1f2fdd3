"""Addresses that are kept out of one page, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from workers.channels.network import Network


class Block(NamedTuple):
    """A network that is kept out; without `until` for good."""

    network: Network
    until: datetime | None


class Blocks:
    """Those of a page: as many steps to look one up as there are lengths of prefixes."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self._until: dict[tuple[int, int], dict[int, datetime | None]] = {}
        """By version and host bits, then by what stands before these."""
        for network, until in blocks:
            host_bits = network.max_prefixlen - network.prefixlen
            same = self._until.setdefault((network.version, host_bits), {})
            same[int(network.network_address) >> host_bits] = until

    def keep_out(self, address: Network | None, at: datetime) -> bool:
        """Whether an address is kept out at a time; what is no address never is."""
        if address is None:
            return False
        number = int(address.network_address)
        for (version, host_bits), same in self._until.items():
            if version != address.version or number >> host_bits not in same:
                continue
            until = same[number >> host_bits]
            if until is None or at < until:
                return True
        return False
