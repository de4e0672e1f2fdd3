"""What a worker takes for now follows Kafka's clock and not its own."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import RecordMetadata, TopicPartition

from config.settings import Settings
from workers.runtime import log_clock
from workers.runtime.lanes import Lane
from workers.runtime.log_clock import LogClock
from workers.runtime.loop import Loop

BY_KAFKA, BY_SENDER = 1, 0
NOON_MS = 1_795_350_000_000


class Clocks:
    """This machine's two."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall_s, self.steady_s = NOON_MS / 1000, 50.0
        monkeypatch.setattr(log_clock, "time", lambda: self.wall_s)
        monkeypatch.setattr(log_clock, "monotonic", lambda: self.steady_s)


def confirmed(timestamp_ms: int, kind: int = BY_KAFKA) -> RecordMetadata:
    return RecordMetadata("t", 0, TopicPartition("t", 0), 7, timestamp_ms, kind, 0)


def test_before_kafka_has_said_anything_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    clock = LogClock()
    clock.hear([None, confirmed(1, BY_SENDER)])
    assert clock.now_ms() == NOON_MS
    clocks.wall_s += 1
    assert clock.now_ms() == NOON_MS + 1000


@pytest.mark.parametrize("jump_s", [-600, 600])
def test_a_clock_that_is_set_changes_nothing(jump_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    clock = LogClock()
    clock.hear([None, confirmed(NOON_MS - 4_000), confirmed(NOON_MS - 3_000)])
    clocks.wall_s += jump_s
    clocks.steady_s += 2
    assert clock.now_ms() == NOON_MS - 1_000


def test_what_kafka_said_last_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    Clocks(monkeypatch)
    clock = LogClock()
    clock.hear([confirmed(NOON_MS + 90_000)])
    clock.hear([confirmed(NOON_MS)])
    assert clock.now_ms() == NOON_MS


async def test_timers_are_due_when_kafka_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks(monkeypatch)
    clock = LogClock()
    clock.hear([confirmed(NOON_MS)])
    clocks.wall_s += 600
    asked: list[int] = []

    async def due_timers(_connection: object, _lanes: object, now_ms: int, _limit: int) -> list[object]:
        asked.append(now_ms)
        return []

    nothing: Any = None
    handler: Any = SimpleNamespace(kind="desk", due_timers=due_timers)
    sessions: Any = SimpleNamespace(first=SimpleNamespace(transaction=nullcontext))
    term: Any = SimpleNamespace(id="term", clock=clock)
    loop = Loop(handler, nothing, nothing, nothing, Settings(), term, sessions, {}, {})
    loop.lanes.hold(Lane(3, 7, {"commands": 0}, 0, confirmed=7))
    await loop._timers()
    assert asked == [NOON_MS]
