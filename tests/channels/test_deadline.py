"""One timer ends many waits, each at its own time and as asyncio.timeout would."""

from __future__ import annotations

import asyncio

import pytest

from tests.idle_time import in_idle_time
from workers.channels.deadline import Deadline

SECONDS = 0.05
LONG_S = 60.0


async def wait(deadline: Deadline, seconds: float) -> str:
    try:
        with deadline.wait():
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "over"
    return "in time"


@in_idle_time
async def test_each_wait_ends_at_its_own_time() -> None:
    deadline, loop = Deadline(SECONDS), asyncio.get_running_loop()
    begun_s = loop.time()
    first = asyncio.create_task(wait(deadline, LONG_S))
    assert await wait(deadline, SECONDS / 2) == "in time"
    assert await wait(deadline, LONG_S) == "over"
    assert loop.time() - begun_s == pytest.approx(1.5 * SECONDS)
    assert await first == "over"
    assert [await wait(deadline, seconds) for seconds in (0, LONG_S)] == ["in time", "over"]


@in_idle_time
async def test_what_goes_on_afterwards_is_not_ended() -> None:
    deadline = Deadline(SECONDS)
    assert await wait(deadline, 0) == "in time"
    await asyncio.sleep(2 * SECONDS)
    with pytest.raises(KeyError), deadline.wait():
        raise KeyError
    await asyncio.sleep(2 * SECONDS)


@in_idle_time
async def test_a_task_that_others_cancel_is_cancelled_also_when_its_time_is_over() -> None:
    deadline = Deadline(LONG_S)
    task = asyncio.create_task(wait(deadline, LONG_S))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    waiting = deadline.wait()

    async def both() -> None:
        with waiting:
            await asyncio.sleep(LONG_S)

    ended = asyncio.create_task(both())
    await asyncio.sleep(0)
    waiting.cancel()
    ended.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ended
