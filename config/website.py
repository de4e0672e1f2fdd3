"""The website channel: where the widget may stand, who signs for visitors, how much they may do."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from config.ingress import parse_list
from config.keys import Key, Keys
from config.section import PositiveInt, Section

MAX_SITES = 1_000
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.\-\[\]:]+$", max_length=300)]
"""As browsers send it: scheme, host in small letters, port when it is not the usual one."""
Line = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Rate = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class Site(Section):
    """A page of the website channel, `web:<site>`, and how its widget looks."""

    site: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    """The page is `web:<site>`."""
    origins: Annotated[tuple[Origin, ...], Field(min_length=1, max_length=100)]
    """The only pages on which its widget works."""
    secret: Key | None = None
    """Signs the JWT by which the website's own server proves who a visitor is; without it none is taken."""
    hash_secret: Key | None = None
    """Signs the ids of visitors, for `data-user-hash`; without it no hash is taken. It must be another
    secret: under the same one, the hash of an id that is made like a JWT would be the JWT of anybody."""
    title: Line = "Chat"
    """Stands over the chat window."""
    greeting: Annotated[str, Field(max_length=500)] = ""
    """Shown while nothing was written yet; never stored."""
    quick_replies: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    """Offered while nothing was written yet; a pressed one comes in as a postback."""


class WebsiteSettings(Section):
    """Of the ingress, for the visitors of all sites."""

    sites: Annotated[
        tuple[Site, ...], NoDecode, BeforeValidator(parse_list), Field(max_length=MAX_SITES)
    ] = ()
    """A JSON list of [sites](website.md)."""
    keys: Keys = ()
    """Sign who an anonymous visitor is, separated by commas: the first signs, all are taken."""
    token_days: Annotated[float, Field(ge=1, le=400)] = 180.0
    """So long an anonymous visitor who stays away is known again."""
    grace_s: Annotated[float, Field(ge=1, le=86_400)] = 120.0
    """So long a visitor may be nowhere on the website before he has left, and his session ends."""
    ipv6_prefix: Annotated[int, Field(ge=32, le=128)] = 64
    """So many bits of an IPv6 address are kept out with it: a subscriber has a /64 at least."""
    address_days: Annotated[float, Field(ge=1, le=400)] = 30.0
    """So long it is known from which networks a visitor came, so that one can be kept out."""
    sockets_max: Annotated[PositiveInt, Field(le=100_000)] = 12_000
    """Connections of visitors in one ingress."""
    sockets_per_visitor_max: Annotated[PositiveInt, Field(le=1_000)] = 10
    """Of one visitor, in all his windows."""
    sockets_per_address_max: Annotated[PositiveInt, Field(le=100_000)] = 500
    """Many visitors sit behind one address of their provider."""
    address_rate_per_s: Rate = 50.0
    """What comes from one address, at each ingress."""
    address_rate_burst: PositiveInt = 500
    """So many at once."""
    visitor_rate_per_s: Rate = 2.0
    """What one visitor sends by his socket."""
    visitor_rate_burst: PositiveInt = 30
    """So many at once."""
    send_queue_bytes_max: Annotated[int, Field(ge=16_384, le=16_777_216)] = 262_144
    """What waits for a visitor who does not read; more, and he is cut off, to come back by himself."""
