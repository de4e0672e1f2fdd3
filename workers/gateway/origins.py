"""From which pages a browser may open a socket."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit


def is_allowed(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` may connect to us at `host`. What is no browser names no origin."""
    if origin is None:
        return True
    return origin in allowed or (bool(host) and _host_of(origin) == host)


def _host_of(origin: str) -> str:
    """Host and port, as the header Host has them; empty: there is none to be read."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
