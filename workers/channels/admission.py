"""How much the ingress keeps in memory: requests at once, and bytes of their bodies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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

    @contextmanager
    def enter(self) -> Iterator[Held]:
        """Admit one request. Raises OverloadedError when it is one too many."""
        if self.requests >= self._requests_max:
            raise OverloadedError(
                f"{self.requests} requests wait already. Send it again.", retry_after_s=RETRY_AFTER_S
            )
        self.requests += 1
        held = Held(self)
        try:
            yield held
        finally:
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
    """The bytes that one admitted request holds."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count more bytes. Raises OverloadedError."""
        self._admission.hold(size_bytes)
        self.size_bytes += size_bytes
