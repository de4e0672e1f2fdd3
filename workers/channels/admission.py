"""How much the ingress keeps in memory: requests at once, and bytes of their bodies."""

from __future__ import annotations

from typing import Self

from workers.channels.problem import OverloadedError

REQUESTS_MAX = 1_000
HELD_BYTES_MAX = 64 * 1_048_576
RETRY_AFTER_S = 2.0


class Admission:
    """Counts what is being read or waits for Kafka, and refuses what would be too much."""

    def __init__(self, requests_max: int = REQUESTS_MAX, held_bytes_max: int = HELD_BYTES_MAX) -> None:
        self._requests_max = requests_max
        self._held_bytes_max = held_bytes_max
        self._held_bytes = 0
        self.requests = 0

    def enter(self) -> Held:
        """Admit one request, until the context is left. Raises OverloadedError when it is one too many."""
        if self.requests >= self._requests_max:
            raise OverloadedError(
                f"{self.requests} requests wait already. Send it again.", retry_after_s=RETRY_AFTER_S
            )
        self.requests += 1
        return Held(self)

    def leave(self, held: Held) -> None:
        """The request is answered."""
        self.requests -= 1
        self._held_bytes -= held.size_bytes

    def hold(self, size_bytes: int) -> None:
        """Count bytes of a body. Raises OverloadedError, without counting them, when it is too much."""
        if self._held_bytes + size_bytes > self._held_bytes_max:
            raise OverloadedError(
                "The requests that wait are too large together. Send it again.", retry_after_s=RETRY_AFTER_S
            )
        self._held_bytes += size_bytes


class Held:
    """The bytes that one admitted request holds, as long as its context lasts."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admission.leave(self)

    def add(self, size_bytes: int) -> None:
        """Count more bytes. Raises OverloadedError."""
        self._admission.hold(size_bytes)
        self.size_bytes += size_bytes
