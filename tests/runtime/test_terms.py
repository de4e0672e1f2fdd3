"""Which failures end a term, and which the worker; without servers, on a loop that only fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import asyncpg
import pytest

from config.settings import Settings
from tests.runtime.copier import Copier
from workers.runtime import runtime as module
from workers.runtime.failures import DependencyDownError, FencedTooOftenError, TermEndedError
from workers.runtime.runtime import FENCED_MAX, Runtime
from workers.runtime.sessions import Sessions
from workers.runtime.topology import Topology


class Session:
    """A connection that lives or is closed."""

    def __init__(self, *, closed: bool) -> None:
        self._closed = closed

    def is_closed(self) -> bool:
        return self._closed

    def terminate(self) -> None:
        """Close."""

    async def execute(self, _: str) -> None:
        """Prepare."""


class FailingLoop:
    """A loop whose first step fails."""

    def __init__(self, error: Exception, *, closed: bool = False) -> None:
        self.sessions = Sessions("intake", Settings(), Session(closed=closed))
        self.term = self
        self.abandoned = self.ended = False
        self._error = error

    async def step(self, _: asyncio.Event) -> None:
        raise self._error

    def abandon(self) -> None:
        self.abandoned = True

    async def end(self) -> None:
        self.ended = True


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    made = Runtime(Copier(), Topology("t", {"actions": 4, "inbound": 4}), Settings())
    yield made
    await made._source.stop()


async def term_of(runtime: Runtime, loop: FailingLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One term with this loop."""

    async def begin(_: Runtime) -> Any:  # noqa: ANN401  stands for a Loop
        return loop

    monkeypatch.setattr(Runtime, "_begin", begin)
    await runtime._term(asyncio.Event())


@pytest.mark.parametrize(
    "error",
    [
        TermEndedError("another owns the lane", fenced=True),
        DependencyDownError("Kafka does not answer"),
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.PostgresConnectionError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.AdminShutdownError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.InternalClientError("cannot switch to state"),
        asyncpg.InvalidSQLStatementNameError('prepared statement "advance" does not exist'),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_another_term_may_overcome_ends_only_the_term(
    runtime: Runtime, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = FailingLoop(error)
    await term_of(runtime, loop, monkeypatch)
    assert loop.abandoned
    assert loop.ended


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), asyncpg.UndefinedTableError()], ids=lambda error: type(error).__name__
)
async def test_what_nobody_foresaw_ends_the_worker(
    runtime: Runtime, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = FailingLoop(error)
    with pytest.raises(type(error)):
        await term_of(runtime, loop, monkeypatch)
    assert loop.abandoned
    assert loop.ended


async def test_whatever_a_closed_connection_raises_ends_only_the_term(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await term_of(runtime, FailingLoop(asyncpg.InterfaceError("closed"), closed=True), monkeypatch)


async def test_who_is_fenced_too_often_ends(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    fenced = TermEndedError("another owns the lane", fenced=True)
    for _ in range(FENCED_MAX - 1):
        await term_of(runtime, FailingLoop(fenced), monkeypatch)
    with pytest.raises(FencedTooOftenError, match=r"intake was fenced 5 times .*another owns the lane"):
        await term_of(runtime, FailingLoop(fenced), monkeypatch)


async def test_unknown_outcomes_do_not_count_as_fences(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2 * FENCED_MAX):
        unknown = TermEndedError("the outcome is unknown", fenced=False)
        await term_of(runtime, FailingLoop(unknown), monkeypatch)


async def test_an_outage_is_told_while_it_lasts_and_forgotten_when_it_is_over(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str | None] = []

    async def up_at_the_third_time() -> None:
        told.append(runtime.status.waiting_for)
        if len(told) < 3:
            raise DependencyDownError("Kafka at nowhere:1 does not answer")

    monkeypatch.setattr(module, "RETRY_FIRST_S", 0.001)
    runtime.status.moved_at = runtime.status.beat_at = monotonic() - 1_000
    await runtime._until_up(up_at_the_third_time, asyncio.Event())
    assert told[1:] == ["Kafka at nowhere:1 does not answer"] * 2
    assert runtime.status.waiting_for is None
    assert runtime.status.stuck_s(monotonic()) < 100
