"""Commands that run until a person has seen enough: Ctrl-C ends them without an error."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


async def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends, or until SIGINT or SIGTERM cancels it, which is no error.

    Raises what `work` raises; a cancellation that no signal asked for is raised too.
    """
    task = asyncio.create_task(work)
    signalled = asyncio.Event()

    def stop() -> None:
        signalled.set()
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await asyncio.wait([task])
    if not (task.cancelled() and signalled.is_set()):
        task.result()
