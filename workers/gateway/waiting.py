"""Those who wait for outcomes, by whose key it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Self

from schemas.outcomes import Done, Refused

Outcome = Done | Refused


class Request(NamedTuple):
    """What tells one request from another with the same key."""

    command: str
    sha256: str

    def is_answered_by(self, outcome: Outcome) -> bool:
        """Whether `outcome` is its own."""
        return (outcome.command, outcome.request_sha256) == self


class Waiter:
    """Waits for the outcome of one request; others of the same key are passed over.

    Left by an error, it is closed; else whoever has it closes it.
    """

    def __init__(self, forget: Callable[[Waiter], None]) -> None:
        self._heard: asyncio.Queue[Outcome] = asyncio.Queue()
        self._forget = forget

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            self.close()

    def close(self) -> None:
        """Hear nothing more."""
        self._forget(self)

    def hear(self, outcome: Outcome) -> None:
        """Take an outcome with the key."""
        self._heard.put_nowait(outcome)

    async def outcome(self, request: Request) -> Outcome:
        """The outcome of this request; the deadline is the caller's."""
        while not request.is_answered_by(outcome := await self._heard.get()):
            pass
        return outcome


class Waiting:
    """All who wait on this gateway."""

    def __init__(self) -> None:
        self._waiters: dict[tuple[str, str], set[Waiter]] = {}
        self._actors: dict[bytes, int] = {}

    def for_key(self, actor: str, key: str) -> Waiter:
        """Hear every outcome of this key from now on."""
        place = actor, key
        waiter = Waiter(partial(self._forget, place))
        self._waiters.setdefault(place, set()).add(waiter)
        self._actors[actor.encode()] = self._actors.get(actor.encode(), 0) + 1
        return waiter

    def concerns(self, record_key: bytes | None) -> bool:
        """Whether anybody waits for an outcome with this key of its record: then it is worth reading."""
        return record_key in self._actors

    def tell(self, outcome: Outcome) -> None:
        """Tell those who wait for it."""
        for waiter in self._waiters.get((outcome.actor, outcome.idempotency_key), ()):
            waiter.hear(outcome)

    def _forget(self, place: tuple[str, str], waiter: Waiter) -> None:
        waiters, actor = self._waiters[place], place[0].encode()
        waiters.remove(waiter)
        if not waiters:
            del self._waiters[place]
        self._actors[actor] -= 1
        if not self._actors[actor]:
            del self._actors[actor]
