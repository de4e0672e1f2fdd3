"""Whoever reads topics whole begins again where he was, whatever interrupts him, until he is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol
from unittest.mock import Mock

import asyncpg
import pytest
from aiokafka.errors import KafkaError

from config.settings import Settings
from workers.channels import consumer
from workers.channels.website import tail as website
from workers.channels.website.hub import Hub
from workers.channels.website.teller import Teller
from workers.gateway import lines_tail, tail
from workers.webhooks import catch_up, feed
from workers.webhooks.event import Place

SOON_S = 90.0


async def nothing(_: object) -> None:
    """Takes notifications."""


class Reader(Protocol):
    """Reads until it is cancelled."""

    async def run(self) -> None:
        """Until cancelled."""


def of_the_gateway() -> Reader:
    gauge: Any = SimpleNamespace(tailing=SimpleNamespace(set=lambda _: None))
    waiting: Any = None
    return tail.Tail(Settings(), waiting, gauge, lambda _: None, nothing)


def of_lines() -> Reader:
    lines: Any = SimpleNamespace(take=nothing)
    reader = lines_tail.LinesTail(Settings(), lines)
    reader._needed.set()
    return reader


def of_the_website() -> Reader:
    hub = Hub(10, 10, 10, lambda _: None)
    return website.Tail(Settings(), hub, Teller(None, hub))


def of_webhooks() -> Reader:
    return feed.Feed(Settings())


def of_who_is_behind() -> Reader:
    reader = catch_up.CatchUp(Settings())
    behind: Any = Mock(gaps=lambda: {Place("messages", 0): 1})
    reader.want(behind)
    return reader


READERS: tuple[tuple[ModuleType, Callable[[], Reader]], ...] = (
    (tail, of_the_gateway),
    (lines_tail, of_lines),
    (website, of_the_website),
    (feed, of_webhooks),
    (catch_up, of_who_is_behind),
)
ERRORS = (asyncio.CancelledError(), ConnectionResetError(), TimeoutError(), KafkaError())
DATABASE_ERROR = asyncpg.InternalClientError("cannot switch to state")


@pytest.mark.parametrize(
    ("module", "reader", "error"),
    [
        pytest.param(module, reader, error, id=f"{reader.__name__}-{error!r}")
        for module, reader in READERS
        for error in (ERRORS if module is catch_up else (*ERRORS, DATABASE_ERROR))
    ],
)
async def test_what_nobody_asked_for_does_not_end_it(
    module: ModuleType, reader: Callable[[], Reader], error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = asyncio.Event()
    left = [error]

    async def start(*_: object, **__: object) -> None:
        if left:
            raise left.pop()
        reading.set()
        await asyncio.Event().wait()

    for place in {consumer, module}:
        monkeypatch.setattr(place, "start_consumer", start, raising=place is consumer)
        monkeypatch.setattr(place, "RECONNECT_S", 0.0, raising=False)
    running = asyncio.create_task(reader().run())
    async with asyncio.timeout(SOON_S):
        await reading.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
