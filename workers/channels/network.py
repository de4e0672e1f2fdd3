"""The network that an address stands for: of IPv4 the address itself, of IPv6 the subscriber's prefix."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

WHOLE = 128
"""The prefix with which an address of IPv6 stands for itself alone."""
SUBSCRIBER_PREFIX = 64
"""One subscriber has a whole /64 of IPv6 at least."""

Network = IPv4Network | IPv6Network


def network_of(address: str, ipv6_prefix: int = SUBSCRIBER_PREFIX) -> Network | None:
    """Of an address as a connection has it; none: it is no address, as that of a Unix socket.

    An IPv4 address within IPv6 is that IPv4 address, and a zone says nothing.
    """
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is None:
            return IPv6Network((known, ipv6_prefix), strict=False)
        known = known.ipv4_mapped
    return IPv4Network(known)


def network_named(text: str, ipv6_prefix: int) -> Network:
    """What somebody wrote: an address stands for its network, a network for itself. Raises ValueError."""
    if "/" not in text:
        found = network_of(text, ipv6_prefix)
        if found is None:
            raise ValueError(f"{text!r} is no address")
        return found
    named = ip_network(text)
    if isinstance(named, IPv6Network) and named.network_address.ipv4_mapped is not None:
        raise ValueError(f"{text!r} is IPv4 within IPv6: write it as IPv4")
    return named
