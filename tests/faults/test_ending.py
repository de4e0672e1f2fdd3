"""A run comes to its end whatever has stopped: nothing is waited for longer than its time-outs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from faults import ending
from faults.ending import end
from faults.history import History
from faults.watch import UnseenError

STOPPED = ["desk 0: the group has published batch 3, but Postgres has batch 2"]
CROWD: Any = None
"""It has gone."""


class StoppedGround:
    """All of whose lanes have stopped, so that the lag stays; or whose Kafka does not even tell it."""

    def __init__(self, history: History, *, present: int = 0, is_seen: bool = True) -> None:
        self.history = history
        self.fleet = SimpleNamespace(of=lambda _: ())
        self._present = present
        self._is_seen = is_seen

    async def present(self) -> int:
        return self._present

    async def outside_settled(self) -> None:
        return

    async def due(self) -> int:
        return 0

    async def lag(self) -> dict[str, int]:
        if not self._is_seen:
            raise UnseenError("Kafka does not tell the lag")
        return {"intake": 0, "desk": 231}

    async def stopped_lanes(self) -> list[str]:
        return STOPPED


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    """Of a run that is not patient."""
    monkeypatch.setattr(ending, "QUIET_S", 0.05)
    monkeypatch.setattr(ending, "POLL_S", 0.001)
    with History(tmp_path / "history.jsonl") as history:
        yield history


@pytest.mark.parametrize("how", [{}, {"present": 3}, {"is_seen": False}], ids=str)
async def test_a_run_whose_lanes_have_stopped_is_restless_and_ends(history: History, how: Any) -> None:  # noqa: ANN401
    ground: Any = StoppedGround(history, **how)
    assert await end(ground, CROWD) == (False, [])
    last = history.lines[-1]
    assert (last["what"], last["stopped_lanes"]) == ("restless", STOPPED)


async def test_a_kafka_that_does_not_tell_what_there_is_ends_the_run_too(history: History) -> None:
    class Silent(StoppedGround):
        async def lag(self) -> dict[str, int]:
            return {}

        async def ends(self, topic: str) -> list[int]:
            raise UnseenError(f"Kafka does not tell what {topic} has")

    ground: Any = Silent(history)
    assert await end(ground, CROWD) == (False, [])
    assert "notifications" in str(history.lines[-1]["why"])
