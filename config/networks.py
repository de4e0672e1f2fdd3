"""Networks as they are written in one variable, separated by commas."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from config.keys import split


def _parse(value: object) -> object:
    """Each as a network, or told by what was written."""
    parts = split(value)
    if not isinstance(parts, list | tuple):
        return parts
    try:
        return tuple(ip_network(part) for part in parts)
    except ValueError as error:
        raise ValueError(f"names what is no network such as 10.1.0.0/16: {error}") from error


Networks = Annotated[
    tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_parse), Field(max_length=100)
]
THIS_MACHINE = (ip_network("127.0.0.1"), ip_network("::1"))
