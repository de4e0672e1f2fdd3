"""What goes on in a process beside its requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def side_tasks(
    work: Mapping[str, Coroutine[Any, Any, None]], on_failure: Callable[[BaseException], None]
) -> AsyncIterator[None]:
    """Let all of it go on, each under its name, as long as the block lasts.

    `on_failure` is told of an end that nobody asked for, a cancellation included: clients of Kafka and
    Postgres are known to cancel their callers.
    """
    is_over = False

    def ended(task: asyncio.Task[None]) -> None:
        if not is_over:
            error = None if task.cancelled() else task.exception()
            on_failure(error or RuntimeError(f"The task {task.get_name()} has ended by itself."))

    tasks = [asyncio.create_task(each, name=name) for name, each in work.items()]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    finally:
        is_over = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
