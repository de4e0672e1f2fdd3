"""Time that passes only while nobody has anything to do: waits end at once, and no stall is a delay.

For tests of deadlines within one process, whose servers and clients are all on one event loop. What asks
another process, or looks at another clock than the loop's, needs real time.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

QUIET_S = 0.005
"""Real time in which nothing comes over any socket before the loop's clock goes on."""
P = ParamSpec("P")


class _IdleSelector(selectors.DefaultSelector):
    """Passes the time that it should wait when nothing comes."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        found = super().select(QUIET_S)
        self.now_s += 0.0 if found else timeout
        return found


class IdleLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own."""

    def __init__(self) -> None:
        self._idle = _IdleSelector()
        super().__init__(self._idle)

    def time(self) -> float:
        """Seconds that nobody had anything to do."""
        return self._idle.now_s


def in_idle_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that runs on such a loop of its own. Its fixtures must not need one."""

    @functools.wraps(test)
    def run(*args: P.args, **named: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=IdleLoop) as runner:
            runner.run(test(*args, **named))

    return run
