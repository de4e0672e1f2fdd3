"""Who asks for a command, and what is on its way."""

from __future__ import annotations

from typing import NamedTuple

from workers.gateway.identity import Identity
from workers.gateway.waiting import Outcome, Request, Waiter


class Asker(NamedTuple):
    """Who asks, from where, and under which idempotency key."""

    identity: Identity
    address: str
    key: str


class Sent(NamedTuple):
    """A request that is on its way, or was answered before."""

    workspace: str
    desks: frozenset[str]
    actor: str
    key: str
    request: Request
    outcome: Outcome | None
    waiter: Waiter

    def close(self) -> None:
        """Nobody waits for its outcome any more."""
        self.waiter.close()
