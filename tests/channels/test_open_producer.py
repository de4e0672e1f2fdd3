"""A producer that is opened for one thing is given up in time, and hides nothing that had come of it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from config.settings import Settings
from workers.channels import producer
from workers.channels.producer import open_producer

SOON_S = 90.0


async def for_ever(*_: object) -> None:
    """As aiokafka stops when the broker is gone."""
    await asyncio.Event().wait()


async def at_once(*_: object) -> None:
    """Nothing to wait for."""


@pytest.fixture(autouse=True)
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A producer whose broker goes away once it has confirmed what it was given."""
    accumulator = SimpleNamespace(_pending_batches=set(), _batches={}, fail_all=lambda _: None)

    async def started(*_: object) -> Any:  # noqa: ANN401 - as a producer
        return SimpleNamespace(
            stop=for_ever,
            client=SimpleNamespace(close=at_once),
            _sender=SimpleNamespace(sender_task=None),
            _message_accumulator=accumulator,
        )

    monkeypatch.setattr(producer, "start_producer", started)


async def confirmed() -> str:
    async with open_producer(Settings(), ["topic"]):
        return "confirmed"


async def failed() -> None:
    async with open_producer(Settings(), ["topic"]):
        raise LookupError


async def test_what_kafka_confirmed_is_told_although_it_is_gone_by_now() -> None:
    async with asyncio.timeout(SOON_S):
        assert await confirmed() == "confirmed"


async def test_what_went_wrong_is_told_although_kafka_is_gone_by_now() -> None:
    async with asyncio.timeout(SOON_S):
        with pytest.raises(LookupError):
            await failed()
