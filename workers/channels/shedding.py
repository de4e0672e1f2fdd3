"""When webhooks are sent away at their heads: those that could not be answered in time any more.

Platforms send again what is answered 503, and give an address up that does not answer. So who comes at a bad
moment is told so before his body is read or anything is looked up, which costs a tenth of taking it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from starlette.responses import Response

from workers.channels.admission import REQUESTS_MAX
from workers.channels.problem import OverloadedError, problem_response

WAIT_MAX_S = 0.8
"""Zalo wants its answer within 2 s; what is taken on has to be read, checked and stored, too."""
TICK_S = 0.05
BEGUN_MAX = 250
"""Requests of one tick: 5,000 a second, more than one process can take. When ticks are late and thousands
wait in the kernel, no more than these are begun at once, or none of them would be done in time."""
RETRY_AFTER_S = range(2, 11)
"""Spread, so that a storm does not come again as one."""


class Pressure(NamedTuple):
    """What stands before a request that comes now."""

    requests: int
    """That are being read, or wait for Kafka."""
    begun: int
    """That were taken on since the last tick: some of them are not counted as being read before they run."""
    waited_s: float
    """How long the oldest of those that wait for Kafka has: about as long will the next one."""
    late_s: float
    """How late the event loop is: as long a request may have lain in the kernel, unseen."""

    @property
    def is_too_much(self) -> bool:
        """Whether the request is to be sent away."""
        return (
            self.begun >= BEGUN_MAX
            or self.requests + self.begun >= REQUESTS_MAX
            or self.late_s + self.waited_s > WAIT_MAX_S
        )


class Shedding:
    """Watches the event loop, and says of each request whether it is sent away.

    Args:
        requests: how many are being read, or wait for Kafka.
        waited_s: how long the oldest of those that wait has at a moment of `time.monotonic`.
        on_shed: called for each that is sent away.
    """

    def __init__(
        self, requests: Callable[[], int], waited_s: Callable[[float], float], on_shed: Callable[[], None]
    ) -> None:
        self._requests = requests
        self._waited_s = waited_s
        self._on_shed = on_shed
        self._late_s = 0.0
        self._due_s = float("inf")
        self._begun = 0
        self._kept, self._closed = _answers(closes=False), _answers(closes=True)

    async def run(self) -> NoReturn:
        """Watch how late the loop is, for ever."""
        while True:
            self._due_s = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self.tick(time.monotonic())

    def tick(self, now_s: float) -> None:
        """What was due is done, at last."""
        self._late_s = max(0.0, now_s - self._due_s)
        self._begun = 0

    def sheds(self, now_s: float) -> bool:
        """Whether a request whose head is here now is sent away; if not, it is taken on."""
        late_s = max(self._late_s, now_s - self._due_s)
        if Pressure(self._requests(), self._begun, self._waited_s(now_s), late_s).is_too_much:
            self._on_shed()
            return True
        self._begun += 1
        return False

    def answer(self, *, closes: bool) -> bytes:
        """The whole answer to one that is sent away: 503, and when to come again."""
        return random.choice(self._closed if closes else self._kept)  # noqa: S311 - no secret


def _answers(*, closes: bool) -> list[bytes]:
    text = "There is more to do than can be done in time. Send it again."
    errors = (OverloadedError(text, retry_after_s=seconds) for seconds in RETRY_AFTER_S)
    return [_written(problem_response(error), closes=closes) for error in errors]


def _written(response: Response, *, closes: bool) -> bytes:
    """A response as it goes over the line."""
    headers = [*response.raw_headers, *([(b"connection", b"close")] if closes else [])]
    lines = [b"HTTP/1.1 503 Service Unavailable", *(b": ".join(each) for each in headers), b"", b""]
    return b"\r\n".join(lines) + bytes(response.body)
