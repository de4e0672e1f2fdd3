"""By which gateway an agent goes in: the one that let him in last, and the next one when it fails him."""

from __future__ import annotations

from collections.abc import Sequence


class Doors:
    """One agent's choice among the gateways.

    Args:
        urls: of all of them, e.g. `http://127.0.0.1:8090`.
        first: the number of the one with which he begins, counted round.
    """

    def __init__(self, urls: Sequence[str], first: int = 0) -> None:
        self._urls = urls
        self._at = first % len(urls)

    @property
    def url(self) -> str:
        """The gateway that he uses now."""
        return self._urls[self._at]

    def leave(self, url: str) -> None:
        """Turn to the next one, unless he has left the gateway at `url` already."""
        if url == self.url:
            self._at = (self._at + 1) % len(self._urls)
