"""The proxies before a server of ours: whose word on where clients are is believed."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from config.keys import split


def _networks(proxies: tuple[str, ...]) -> tuple[str, ...]:
    for one in proxies:
        try:
            ip_network(one)
        except ValueError as error:
            raise ValueError(f"{one!r} is no address and no network such as 10.0.0.0/8: {error}") from error
    return proxies


Proxies = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(split), AfterValidator(_networks), Field(max_length=100)
]
"""Addresses and networks, separated by commas; of them alone X-Forwarded-For is believed."""
THIS_MACHINE = ("127.0.0.1", "::1")
