"""Where others may have us connect to: to public addresses, and to networks that the settings name.

The address is judged that a connection is about to be made to, after the name was resolved: a name that
answers one thing first and another later gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

URL_CHARS_MAX = 2_048
_UNICAST = IPv6Network("2000::/3")
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv6Network("3fff::/20"))
"""Of IANA's registries, what Python takes for public in one version or another."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""The well-known prefix alone. In 64:ff9b:1::/48, of which networks make their own, the IPv4 address may
stand in other bits than the last (RFC 6052, 2.2): that is refused, unless the settings name it."""
_COMPATIBLE = IPv6Network("::/96")


class RefusedAddressError(OSError):
    """Nothing is sent to this address."""


class RefusedUrlError(ValueError):
    """Nothing is sent to this URL; the text says why."""


def may_reach(address: Address, allowed: Networks) -> bool:
    """Whether we may connect to this address, or to the IPv4 address to which it leads."""
    within = _within(address)
    return is_public(within) or any(one in network for one in (address, within) for network in allowed)


def is_public(address: Address) -> bool:
    """Whether it is one of the public network's single hosts."""
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def check_url(url: str, *, https_only: bool, allowed: Networks) -> None:
    """Refuse what nothing may be sent to, as far as its text tells. Raises RefusedUrlError."""
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise RefusedUrlError(f"A URL has at most {URL_CHARS_MAX} ASCII characters, and no blanks.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedUrlError(f"This is no URL: {error}.") from error
    if parts.scheme != "https" and (https_only or parts.scheme != "http"):
        raise RefusedUrlError("The URL must begin with https://.")
    if not host or port == 0:
        raise RefusedUrlError("The URL names no host.")
    if parts.username is not None or parts.fragment:
        raise RefusedUrlError(
            "The URL must have neither a user nor a fragment: the signature says who sends."
        )
    literal = _literal(host)
    if literal is not None and not may_reach(literal, allowed):
        raise RefusedUrlError(f"{host} is no public address: nothing is sent there.")


def socket_factory(allowed: Networks) -> Any:  # noqa: ANN401 - aiohttp's SocketFactoryType
    """What makes the socket for one resolved address, and raises RefusedAddressError instead."""

    def make(info: tuple[Any, ...]) -> socket.socket:
        family, type_, protocol, _, target = info
        address = ip_address(str(target[0]).partition("%")[0])
        if not may_reach(address, allowed):
            raise RefusedAddressError(f"{address} is no public address: nothing is sent there")
        return socket.socket(family, type_, protocol)

    return make


def _literal(host: str) -> Address | None:
    """The address that a host is written as, in whatever form the resolver takes for one."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))  # 127.1, 0x7f000001, 2130706433
    except OSError:
        return None


def _within(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to; else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
