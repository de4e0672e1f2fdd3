"""Chores are done again and again, whatever Postgres says; what nobody foresaw ends the worker."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from config.settings import Settings
from workers.runtime.handler import Connection
from workers.runtime.metrics import UPKEEP, UPKEEP_FAILED
from workers.runtime.upkeep import Chore, keep_up

DEADLINE_S = 90.0


def told(metric: object, chore: str) -> float:
    value: float = metric.labels(chore)._value.get()  # type: ignore[attr-defined]
    return value


@pytest.mark.servers
async def test_a_chore_that_fails_is_done_again_and_counted(settings: Settings) -> None:
    done = asyncio.Event()
    answers: list[int | Exception] = [asyncpg.LockNotAvailableError("another has the lock"), 3, 4]

    async def do(connection: Connection) -> int:
        assert await connection.fetchval("SELECT 1") == 1
        if not answers:
            done.set()
            return 0
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    keeping = asyncio.create_task(keep_up([Chore("again", 0.0, do)], settings))
    await asyncio.wait_for(done.wait(), DEADLINE_S)
    keeping.cancel()
    assert (told(UPKEEP, "again"), told(UPKEEP_FAILED, "again")) == (7, 1)


async def test_a_database_that_is_down_is_a_failure_that_passes(kafka_settings: Settings) -> None:
    nowhere = kafka_settings.with_servers(bootstrap_servers="127.0.0.1:9", dsn="postgresql://u@127.0.0.1:9/d")

    async def never(_: Connection) -> int:
        raise AssertionError("there is no connection")

    keeping = asyncio.create_task(keep_up([Chore("nowhere", 0.0, never)], nowhere))
    async with asyncio.timeout(DEADLINE_S):
        while told(UPKEEP_FAILED, "nowhere") < 2:
            await asyncio.sleep(0)
    assert not keeping.done()
    keeping.cancel()


@pytest.mark.servers
async def test_a_bug_in_a_chore_ends_the_worker(settings: Settings) -> None:
    async def do(_: Connection) -> int:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await asyncio.wait_for(keep_up([Chore("bug", 60.0, do)], settings), DEADLINE_S)
