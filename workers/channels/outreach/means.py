"""The interface of a means by which tickets are worked on: e-mail, or a phone provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from config.retry import Retry
from schemas.outbound import MeansName
from workers.channels.outreach.result import NotGiven, Result
from workers.channels.outreach.rows import Claimed
from workers.runtime.handler import Connection

Give = Callable[[Claimed], Awaitable[Result]]
"""Gives one to who carries it on, under its own id however often. Raises nothing but CancelledError."""


class Means(Protocol):
    """One way to who carries it on."""

    @property
    def names(self) -> Sequence[MeansName]:
        """What goes this way."""

    @property
    def retry(self) -> Retry:
        """At what distances is tried."""

    @property
    def attempts_max(self) -> int:
        """How often."""

    @property
    def fresh_s(self) -> float:
        """A claim that is older is given back: another worker may have given it up."""

    @property
    def timeout_s(self) -> float:
        """`Give` takes no longer."""

    @property
    def parallel_max(self) -> int:
        """How many of one page are under way at once."""

    async def open(self, connection: Connection, page: str) -> Give | NotGiven:
        """How those of a page are given; or why not. Raises what Postgres raises."""
