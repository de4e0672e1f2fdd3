"""A deadline that many waits have in common, with one timer for all of them.

asyncio.timeout starts a timer for each and takes it back, at the price of all else that is done to read a
body that is here already.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadline:
    """Ends each wait that takes `seconds`, as asyncio.timeout would. Of one event loop."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._due_s: dict[Wait, float] = {}
        """When each is over, by the loop's clock. All have the same time, so the oldest stands first."""
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> Wait:
        """A context that raises TimeoutError when it takes too long."""
        return Wait(self)

    def begin(self, wait: Wait) -> None:
        """Watch it from now on."""
        loop = asyncio.get_running_loop()
        self._due_s[wait] = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._end_overdue, loop)

    def end(self, wait: Wait) -> None:
        """Watch it no more."""
        self._due_s.pop(wait, None)

    def _end_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._due_s:
            wait, due_s = next(iter(self._due_s.items()))
            if due_s > loop.time():
                self._timer = loop.call_at(due_s, self._end_overdue, loop)
                return
            del self._due_s[wait]
            wait.cancel()


class Wait:
    """One of them: a context of the task that waits."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._is_over = False

    def __enter__(self) -> None:
        self._task = task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        self._cancelling = task.cancelling()
        self._deadline.begin(self)

    def cancel(self) -> None:
        """It is over: whatever is awaited in it ends now."""
        self._is_over = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell the end of the deadline from that of the task, which others may have asked for as well."""
        self._deadline.end(self)
        if self._is_over and self._task is not None:
            asked_by_others = self._task.uncancel() > self._cancelling
            if isinstance(error, asyncio.CancelledError) and not asked_by_others:
                raise TimeoutError from error
