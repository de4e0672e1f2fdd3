"""The demo, as a newcomer runs it: once for a few seconds with a report, once more until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.base import OUR_CHANNELS
from tests.demo.tongdai import Tongdai, command_lines, runs, tongdai

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]

RATE_PER_S = 40
SECONDS = 10
AGENTS = 4
DEADLINE_S = 90.0
SECOND_START_MAX_S = 60.0
"""Ten are promised, on a machine with nothing else to do; as often more as there is work for each core."""
FIELDS = {
    "posted",
    "accepted",
    "by_channel",
    "duplicates_posted",
    "stored",
    "stored_by_channel",
    "conversations",
    "assigned",
    "notified",
    "deadlettered",
    "lost",
    "duplicated",
    "out_of_order",
    "round_robin_spread_max",
    "commands",
    "outcomes",
    "claims",
    "claims_lost",
    "refused",
    "refused_by_code",
    "transfers",
    "answers",
    "delivered",
    "sent_twice",
    "visitors",
    "misshown",
    "without_outcome",
    "repeated_outcomes",
    "mistold",
    "wrong_races",
    "unanswered",
    "turned_away",
    "returns",
    "latency_ms",
    "seconds",
}


async def test_a_report_then_the_same_data_again_until_ctrl_c(server_dir: Path) -> None:
    played = ("--seconds", str(SECONDS), "--rate", str(RATE_PER_S), "--agents", str(AGENTS))
    arguments = ("demo", *played, "--report", "report.json")
    async with tongdai(*arguments, folder=server_dir) as demo:
        assert await demo.ended() == 0, "\n".join(demo.lines)
    first = orjson.loads((server_dir / "report.json").read_bytes())
    _check(first)

    assert first["commands"] > 0, "\n".join(demo.lines)
    assert first["answers"] > 0
    assert first["delivered"] == first["answers"]
    assert first["by_channel"].keys() == set(OUR_CHANNELS)
    assert min(first["visitors"]["came"], first["visitors"]["returned"]) > 0

    again_arguments = ("demo", "--rate", "20", "--agents", "0", "--report", "again.json")
    async with tongdai(*again_arguments, folder=server_dir) as demo:
        first_s = float((await demo.until("First assignment after")).split()[-2])
        assert first_s < SECOND_START_MAX_S * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        children = await _children(demo, 7)
        demo.interrupt()
        assert await demo.ended() == 0, "\n".join(demo.lines)
        assert _summary(demo)["lost"] == "0"
    assert not [child for child in children if runs(child)]
    again = orjson.loads((server_dir / "again.json").read_bytes())
    _check(again)
    assert again["commands"] == again["outcomes"] == 0


async def _children(demo: Tongdai, count: int) -> dict[int, str]:
    """Its processes, once there are so many: Kafka, PostgreSQL and five workers."""
    async with asyncio.timeout(DEADLINE_S):
        while len(children := command_lines(demo.process.pid)) < count:
            await asyncio.sleep(0.02)
    assert len(children) == count, children
    return children


def _check(report: dict[str, Any]) -> None:
    assert report.keys() == FIELDS
    assert report["posted"] >= report["accepted"] == report["stored"] > 0
    assert report["by_channel"] == report["stored_by_channel"]
    assert report["misshown"] == 0
    assert report["conversations"] > 0
    assert report["notified"] >= report["assigned"] > 0
    assert (report["lost"], report["duplicated"], report["out_of_order"]) == (0, 0, 0)
    assert report["without_outcome"] == report["repeated_outcomes"] == 0
    assert report["mistold"] == report["wrong_races"] == report["unanswered"] == 0
    assert report["commands"] == report["outcomes"]
    assert report["round_robin_spread_max"] <= 1


def _summary(demo: Tongdai) -> dict[str, str]:
    """The last lines: names and values."""
    rows = [line.strip().partition("  ") for line in demo.lines[-len(FIELDS) :]]
    return {name: value.strip() for name, _, value in rows}
