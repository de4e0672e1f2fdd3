"""The demo, as a newcomer runs it: once for a few seconds with a report, once more until Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.demo.tongdai import Tongdai, command_lines, runs, tongdai

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]

RATE_PER_S = 40
SECONDS = 5
FIELDS = {
    "posted",
    "accepted",
    "duplicates_posted",
    "stored",
    "conversations",
    "assigned",
    "notified",
    "deadlettered",
    "lost",
    "duplicated",
    "out_of_order",
    "round_robin_spread_max",
    "latency_ms",
    "seconds",
}


async def test_a_report_then_the_same_data_again_until_ctrl_c(server_dir: Path) -> None:
    arguments = ("demo", "--seconds", str(SECONDS), "--rate", str(RATE_PER_S), "--report", "report.json")
    async with tongdai(*arguments, folder=server_dir) as demo:
        assert await demo.ended() == 0, "\n".join(demo.lines)
    first = orjson.loads((server_dir / "report.json").read_bytes())
    _check(first)

    async with tongdai("demo", "--rate", "20", "--report", "again.json", folder=server_dir) as demo:
        await demo.until("First assignment after")
        children = command_lines(demo.process.pid)
        demo.interrupt()
        assert await demo.ended() == 0, "\n".join(demo.lines)
        assert _summary(demo)["lost"] == "0"
    assert len(children) == 5, children  # Kafka, PostgreSQL and three workers
    assert not [child for child in children if runs(child)]
    again = orjson.loads((server_dir / "again.json").read_bytes())
    _check(again)


def _check(report: dict[str, int]) -> None:
    assert report.keys() == FIELDS
    assert report["posted"] >= report["accepted"] == report["stored"] > 0
    assert report["conversations"] == report["assigned"] > 0
    assert report["notified"] >= report["assigned"]
    assert (report["lost"], report["duplicated"], report["out_of_order"]) == (0, 0, 0)
    assert report["round_robin_spread_max"] <= 1


def _summary(demo: Tongdai) -> dict[str, str]:
    """The last lines: names and values."""
    rows = [line.strip().partition("  ") for line in demo.lines[-len(FIELDS) :]]
    return {name: value.strip() for name, _, value in rows}
