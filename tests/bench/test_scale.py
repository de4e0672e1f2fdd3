"""What several workers took is added up, and told; tests/bench/test_latency.py lets two of them run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.arena import Arena
from bench.document import write_scale
from bench.latency import LatencyPlan, Taken
from bench.machine import Machine
from bench.scale import Scale, Scaled, ScalePlan, _split, programs
from bench.scale_table import tables
from bench.stages import Stage
from config.settings import Settings

MACHINE = Machine("processor", 2, 4_096, "Linux", "3.11", "18", "4.2.2", 0.5)
TAKEN = Taken(
    {"bare": [], "held": [1.0, 2.0, 3.0], "new": [4.0]},
    [Stage("intake", 2, 2.0, 3.0, 4.0)],
    {"routing-1": 0.002, "routing-2": 0.004, "notifier": 0.001},
)
PLAN = LatencyPlan(rate=40.0, seconds=2.0, warm_up_s=0.5)


def test_workers_of_a_name_are_added_up_for_a_million_messages() -> None:
    run = Scaled(2, 12, TAKEN)
    assert run.messages == 4
    assert run.cpu_s_per_million("routing") == pytest.approx(1_500)
    assert run.cpu_s_per_million("notifier") == pytest.approx(250)


def test_a_report_and_its_tables_have_a_line_for_each_run(tmp_path: Path) -> None:
    result = Scale(ScalePlan([2], [12], PLAN), [Scaled(2, 12, TAKEN)], MACHINE)
    (run,) = result.report()["runs"]
    assert run["cpu_s_per_million"] == {"routing": 1_500.0, "notifier": 250.0}
    assert run["latency_ms"]["held"]["p50"] == 2.0
    console = Console(file=io.StringIO(), width=200)
    console.print(*tables(result))
    assert isinstance(console.file, io.StringIO)
    assert "1,500" in console.file.getvalue()
    page = tmp_path / "page.md"
    page.write_text("<!-- scale -->\n<!-- /scale -->\n")
    write_scale(result, page)
    assert "| 12 | 2 | 1,500 | 250 | 2.0 | 2 | 3 | 4 | 4 |" in page.read_text()


def test_desks_have_half_as_many_partitions_and_every_worker_a_name(tmp_path: Path) -> None:
    kafka = _split(Arena(Settings(), tmp_path, MACHINE), 48).settings.kafka
    assert (kafka.conversation_partitions, kafka.desk_partitions) == (48, 24)
    assert list(programs(2)) == ["routing-1", "routing-2", "notifier"]
