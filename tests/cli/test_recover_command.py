"""`tongdai recover` tells of each lane what came of it, and ends with 1 as long as one stands still."""

from __future__ import annotations

from typing import Any

import pytest

from config.errors import DependencyError
from tests.cli.conftest import Done, Tongdai
from workers.cli import recover_command as command
from workers.runtime.identity import LaneName
from workers.runtime.recovery import Failed, Recovered, Result, Running

RESULTS: list[Result] = [
    Recovered("desk", 0, published=3, known_ahead=2, repeated=0, skipped={}),
    Failed("intake", 1, "the log no longer has 20 records of inbound; repeat with --accept-loss"),
    Running("notifier", 2),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the command wants to be recovered, without servers."""
    found: list[Any] = []

    async def recover(_: object, named: list[LaneName], *, accept_loss: bool) -> list[Result]:
        found.append((named, accept_loss))
        return [one for one in RESULTS if not (accept_loss and isinstance(one, Failed))]

    async def ask_again(_: object) -> int:
        return 1

    monkeypatch.setattr(command, "_recover", recover)
    monkeypatch.setattr(command, "ask_again", ask_again)
    monkeypatch.setenv("TONGDAI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    return found


@pytest.fixture
def bootstrap_servers() -> str:
    """None is asked."""
    return "127.0.0.1:9"


async def test_a_lane_that_fails_hides_nothing_of_the_others(tongdai: Tongdai, asked: list[Any]) -> None:
    done: Done = await tongdai("recover", "--all")
    assert done.exit_code == 1
    assert "desk/0 runs again: 0 records read again, 3 events published now" in done.out
    assert "notifier/2 was not stopped" in done.out
    assert "1 of 3 lanes stand still as before" in done.err
    assert "intake/1: the log no longer has 20 records of inbound" in done.err
    assert asked == [([], False)]


async def test_scripts_get_all_of_it(tongdai: Tongdai, asked: list[Any]) -> None:
    done = await tongdai("recover", "--lane", "intake/1", "--lane", "desk/0", "--json")
    assert done.exit_code == 1
    told = done.json()
    assert [one["lane"] for one in told["recovered"]] == [0]
    assert told["running"] == ["notifier/2"]
    assert told["failed"] == [{"kind": "intake", "lane": 1, "error": RESULTS[1].error}]  # type: ignore[union-attr]
    assert asked == [([LaneName("intake", 1), LaneName("desk", 0)], False)]


async def test_when_all_run_it_ends_well_and_tells_who_is_asked_again(
    tongdai: Tongdai, asked: list[Any]
) -> None:
    done = await tongdai("recover", "--all", "--accept-loss")
    assert done.exit_code == 0, done.err
    assert "asked once more about 1 customers" in done.out


async def test_when_nobody_can_be_asked_it_is_told_all_the_same_which_lanes_run(
    tongdai: Tongdai, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: object) -> int:
        raise DependencyError("Kafka did not acknowledge")

    monkeypatch.setattr(command, "ask_again", fails)
    done = await tongdai("recover", "--all", "--accept-loss")
    assert done.exit_code == 5
    assert "desk/0 runs again" in done.out
    assert "Kafka did not acknowledge" in done.err


@pytest.mark.parametrize("name", ["intake", "intake/x", "intake/²", "chat/1", "intake/1234567890"])
async def test_what_is_no_lane_is_said_to_be_none(tongdai: Tongdai, asked: list[Any], name: str) -> None:
    done = await tongdai("recover", "--lane", name)
    assert done.exit_code == 2
    assert "is no lane" in done.err
    assert asked == []
