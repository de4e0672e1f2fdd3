"""Readers beside the lanes end, whatever has become of Kafka."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer

from config.settings import Settings
from workers.runtime import ending, reader
from workers.runtime.failures import DependencyDownError
from workers.workspace.outcome_reader import OutcomeReader

SOON_S = 90.0


async def for_ever(consumer: AIOKafkaConsumer) -> None:
    """As with a broker that is gone."""
    consumer._closed = True
    await asyncio.Event().wait()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a Kafka that is gone, and of somebody who does not wait for long."""
    monkeypatch.setattr(AIOKafkaConsumer, "stop", for_ever)
    monkeypatch.setattr(ending, "STOP_S", 0.01)
    settings = Settings()
    runtime = settings.runtime.model_copy(update={"kafka_deadline_s": 0.01})
    return settings.model_copy(update={"runtime": runtime})


async def test_a_reader_that_cannot_begin_says_so_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AIOKafkaConsumer, "start", for_ever)
    async with asyncio.timeout(SOON_S):
        with pytest.raises(DependencyDownError, match="does not answer"):
            async with reader.open_reader(settings):
                raise AssertionError("it has not begun")


async def test_whoever_waits_for_outcomes_is_let_go(settings: Settings) -> None:
    async with asyncio.timeout(SOON_S):
        await OutcomeReader(settings, "cli:1").stop()
