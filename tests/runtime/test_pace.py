"""Batches of a steady rate begin at an interval; a lone record and a backlog do not wait."""

from __future__ import annotations

import asyncio

from tests.idle_time import in_idle_time
from workers.runtime.pace import Pace


def now() -> float:
    return asyncio.get_running_loop().time()


@in_idle_time
async def test_the_first_batch_begins_at_once() -> None:
    pace = Pace(3.0)
    assert pace.is_due
    await pace.due()
    assert now() == 0.0


@in_idle_time
async def test_the_next_one_begins_an_interval_after_it_began() -> None:
    pace = Pace(3.0)
    pace.begin()
    await asyncio.sleep(1.0)
    assert not pace.is_due
    await pace.due()
    assert now() == 3.0


@in_idle_time
async def test_who_took_longer_than_the_interval_goes_on_at_once() -> None:
    pace = Pace(3.0)
    pace.begin()
    await asyncio.sleep(4.0)
    await pace.due()
    assert now() == 4.0


@in_idle_time
async def test_what_waits_behind_a_full_batch_does_not_wait_for_the_interval() -> None:
    pace = Pace(3.0)
    pace.begin()
    pace.hurry()
    await pace.due()
    assert now() == 0.0
