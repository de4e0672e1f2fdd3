"""`tongdai erase` ends in time, and says so, when Kafka goes away while it waits."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from config.errors import DependencyError, TongdaiError
from config.settings import Settings
from workers.channels import producer
from workers.cli import erasure
from workers.workspace.outcome_reader import OutcomeReader

SOON_S = 90.0
FOUND: Any = SimpleNamespace(
    workspace="shop",
    conversation="6b4d3c8e-0000-5000-8000-000000000001",
    key="messenger:page-1:u1",
)


async def for_ever(*_: object, **__: object) -> None:
    """As aiokafka does with a broker that is gone."""
    await asyncio.Event().wait()


async def at_once(*_: object, **__: object) -> None:
    """Kafka was there a moment ago."""


@pytest.fixture(autouse=True)
def reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outcomes are being read, and nobody wants to wait for long."""
    monkeypatch.setattr(OutcomeReader, "start", at_once)
    monkeypatch.setattr(erasure, "DEADLINE_S", 0.05)


async def test_a_broker_that_takes_nothing_any_more_does_not_keep_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accumulator = SimpleNamespace(_pending_batches=set(), _batches={}, fail_all=lambda _: None)
    gone: Any = SimpleNamespace(
        stop=for_ever,
        send_and_wait=for_ever,
        client=SimpleNamespace(close=at_once),
        _sender=SimpleNamespace(sender_task=None),
        _message_accumulator=accumulator,
    )

    async def started(*_: object) -> Any:  # noqa: ANN401 - as a producer
        return gone

    monkeypatch.setattr(producer, "start_producer", started)
    async with asyncio.timeout(SOON_S):
        with pytest.raises(TongdaiError, match="no outcome came in time"):
            await erasure.erase(Settings(), None, FOUND)


async def test_a_kafka_that_does_not_answer_is_not_taken_for_a_worker_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silent(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(producer, "start_producer", silent)
    with pytest.raises(DependencyError, match="Kafka does not answer"):
        await erasure.erase(Settings(), None, FOUND)
