"""What may be kept out of a page, by the words of whoever names it. Pure."""

from __future__ import annotations

from schemas.ids import channel_of
from workers.channels.network import Network, network_named
from workers.gateway.blacklist.entry import PREFIX_MIN

WEBSITE = "web"


def has_addresses(page: str) -> bool:
    """Whether its customers come from addresses that we see."""
    return channel_of(page) == WEBSITE


def to_be_blocked(address: str, ipv6_prefix: int) -> Network:
    """The network of an address, or one that is named as such. Raises ValueError, with a sentence."""
    network = network_named(address, ipv6_prefix)
    shortest = PREFIX_MIN[network.version]
    if network.prefixlen < shortest:
        raise ValueError(f"that is too many at once: at most a /{shortest}")
    return network
