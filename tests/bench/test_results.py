"""What is computed, shown and drawn from the runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from bench import throughput_table
from bench.accounts import Accounts
from bench.contestants import BARE, FAUST, OURS
from bench.document import write_latency, write_throughput
from bench.failures import BenchError
from bench.latency import LABELS, Latency, LatencyPlan
from bench.machine import describe
from bench.percentiles import Percentiles
from bench.race import Run
from bench.stages import Stage, stages_between
from bench.table import latency_tables
from bench.throughput import Throughput, ThroughputPlan

MACHINE = describe("18", "4")


def _run(messages: int, seconds: float, peak_rss_mib: float) -> Run:
    """Of a contestant that took 50 ms, with Kafka on another machine."""
    accounts = Accounts(own=0.05, postgres=0.03, benchmark=0.01, idle=0.02)
    return Run(messages, seconds, accounts, peak_rss_mib)


@pytest.fixture
def throughput() -> Throughput:
    """Three rounds: ours is half, two thirds and all of the bare pipeline."""
    plan = ThroughputPlan((BARE, OURS, FAUST), messages=1_000, rounds=3, limit_s=1.0)
    runs = {
        "bare": [_run(1_000, 0.1, 50.0), _run(1_000, 0.2, 51.0), _run(1_000, 0.4, 52.0)],
        "ours": [_run(1_000, 0.2, 90.0), _run(1_000, 0.3, 95.0), _run(1_000, 0.4, 91.0)],
        "faust": [_run(100, 1.0, 60.0)] * 3,
    }
    return Throughput(plan, runs, MACHINE)


@pytest.fixture
def latency() -> Latency:
    stages = [Stage("intake", 10, 20.0, 3.0, 2.0)]
    return Latency(LatencyPlan(1_000, 1), {way: [1.0, 2.0, 3.0] for way in LABELS}, stages, MACHINE)


def test_medians_and_the_ratios_of_rounds(throughput: Throughput) -> None:
    report = throughput.report()

    assert report["runs"]["bare"]["messages_per_s"] == 5_000
    assert report["runs"]["bare"]["us_per_message"] == {
        "own": 50,
        "postgres": 30,
        "kafka": None,
        "benchmark": 10,
        "idle": 20,
    }
    assert report["runs"]["ours"]["peak_rss_mib"] == 95
    assert report["ratios"] == {"ours_to_bare": 0.667, "ours_to_faust": 33.333}
    assert report["machine"]["cores"] >= 1


def test_percentiles_by_the_nearest_rank() -> None:
    assert Percentiles.of(range(1, 201)) == Percentiles(200, 100, 190, 198)
    assert Percentiles.of([7.04]) == Percentiles(1, 7.0, 7.0, 7.0)
    with pytest.raises(BenchError):
        Percentiles.of([])


def test_stages_are_what_was_counted_between_two_readings() -> None:
    before = {("tongdai_store_seconds_count", "desk"): 1.0, ("tongdai_store_seconds_sum", "desk"): 9.0}
    after = {
        ("tongdai_store_seconds_count", "desk"): 3.0,
        ("tongdai_store_seconds_sum", "desk"): 9.01,
        ("tongdai_publish_seconds_count", "desk"): 2.0,
        ("tongdai_publish_seconds_sum", "desk"): 0.004,
        ("tongdai_batch_records_count", "desk"): 2.0,
        ("tongdai_batch_records_sum", "desk"): 30.0,
        ("tongdai_store_seconds_count", "idle"): 0.0,
    }
    assert stages_between(before, after) == [Stage("desk", 2, 15.0, 5.0, 2.0)]


def test_tables_and_pictures_name_what_was_measured(
    throughput: Throughput, latency: Latency, tmp_path: Path
) -> None:
    # Every process of a test run imports this file, and only one of them draws.
    from bench.plot import plot_latency, plot_throughput  # noqa: PLC0415

    console = Console(width=160, record=True, file=(tmp_path / "out").open("w"))
    for table in (*throughput_table.tables(throughput), *latency_tables(latency)):
        console.print(table)
    plot_throughput(throughput, tmp_path / "plots" / "throughput.svg")
    plot_latency(latency, tmp_path / "plots" / "latency.svg")

    shown = console.export_text()
    assert "33.33 ×" in shown
    assert "two bare hops" in shown
    console.file.close()
    assert "Faust agent" in (tmp_path / "plots" / "throughput.svg").read_text()
    assert "p99" in (tmp_path / "plots" / "latency.svg").read_text()


def test_a_page_gets_the_tables_between_its_marks(
    throughput: Throughput, latency: Latency, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- throughput -->\nold\n<!-- /throughput -->\nbetween\n"
        "<!-- latency -->\n<!-- /latency -->\n<!-- stages --><!-- /stages -->\n"
    )
    for _ in range(2):
        write_throughput(throughput, page)
        write_latency(latency, page)

    text = page.read_text()
    assert text.startswith("before\n<!-- throughput -->\n|  | messages/s |")
    assert "| Faust agent | 100 | 0.02 × | 33.33 × | 500 | 300 |  | 100 | 200 | 100 | 60 MiB |" in text
    assert "old" not in text
    assert text.count("| intake | 3.0 | 2.0 | 20.0 |") == 1


def test_a_page_without_the_marks_is_refused(throughput: Throughput, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")

    with pytest.raises(BenchError, match=r"<!-- throughput --> and <!-- /throughput -->"):
        write_throughput(throughput, page)
