"""The gateway's one reader begins again where it was, whatever interrupts it, until it is told to end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from config.settings import Settings
from workers.gateway import tail as module
from workers.gateway.tail import Tail

SOON_S = 5.0


async def nothing(_: object) -> None:
    """Takes notifications."""


@pytest.fixture
def tail(monkeypatch: pytest.MonkeyPatch) -> Tail:
    monkeypatch.setattr(module, "RECONNECT_S", 0.0)
    gauge: Any = SimpleNamespace(tailing=SimpleNamespace(set=lambda _: None))
    waiting: Any = None
    return Tail(Settings(), waiting, gauge, lambda _: None, nothing)


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError(), ConnectionResetError(), asyncpg.InternalClientError("cannot switch to state")],
    ids=repr,
)
async def test_what_nobody_asked_for_does_not_end_it(
    tail: Tail, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = asyncio.Event()
    left = [error]

    async def read(_: Tail) -> None:
        if left:
            raise left.pop()
        reading.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Tail, "_read", read)
    running = asyncio.create_task(tail.run())
    async with asyncio.timeout(SOON_S):
        await reading.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
