"""Whether something became slower: only what chance does not explain is called so."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.compare import ComparePlan, Comparison
from bench.compare_table import tables
from bench.failures import BenchError
from bench.machine import describe, family_cpu_s
from bench.ratios import Spread, judge
from bench.record import RECORDED, Record, read_record, write_record

MACHINE = describe("18", "4")
PAIRS = st.lists(st.floats(min_value=0.1, max_value=10), min_size=1, max_size=7).map(tuple)


def verdict(before: tuple[float, ...], now: tuple[float, ...], tolerance: float = 0.05) -> str:
    """What is said of one ratio."""
    (one,) = judge({"x": Spread(before)}, {"x": Spread(now)}, tolerance)
    return one.verdict


def test_slower_is_what_lies_wholly_behind_and_far_enough() -> None:
    assert verdict((1.0, 1.1, 1.2), (1.3, 1.4, 1.5)) == "slower"
    assert verdict((1.0, 1.1, 1.2), (1.19, 1.4, 1.5)) == "as before"
    assert verdict((1.0, 1.1, 1.2), (1.3, 1.4, 1.5), tolerance=0.4) == "as before"
    assert verdict((1.3, 1.4, 1.5), (1.0, 1.1, 1.2)) == "faster"


@given(PAIRS, PAIRS)
def test_two_versions_are_never_each_slower_than_the_other(
    one: tuple[float, ...], other: tuple[float, ...]
) -> None:
    opposite = {"slower": "faster", "faster": "slower", "as before": "as before"}
    assert verdict(one, one) == "as before"
    assert verdict(one, other, 0.0) == opposite[verdict(other, one, 0.0)]


def test_what_was_never_recorded_is_no_regression() -> None:
    (one,) = judge({}, {"x": Spread((9.0,))}, 0.0)
    assert (one.verdict, one.change) == ("new", None)


def comparison(recorded: Record | None) -> Comparison:
    """One ratio, found three times."""
    plan = ComparePlan(pairs=3, messages=5_000, tolerance=0.05)
    return Comparison(plan, {"routing: time": Spread((2.0, 2.2, 2.1))}, recorded, MACHINE)


def test_what_is_recorded_is_compared_with_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    assert read_record(path) is None
    first = comparison(None)
    write_record(first.record(), path)
    before = read_record(path)

    assert before is not None
    assert before.machine == MACHINE
    assert not comparison(before).slower
    twice = replace(comparison(before), found={"routing: time": Spread((4.0, 4.1, 4.2))})
    (slower,) = twice.slower
    assert slower.change == pytest.approx(4.1 / 2.1 - 1)
    assert twice.report()["ratios"][0]["verdict"] == "slower"
    path.write_text("{}")
    with pytest.raises(BenchError, match="no record of ratios"):
        read_record(path)


def test_the_table_tells_the_spread_and_another_machine() -> None:
    other = replace(MACHINE, processor="another", cores=64)
    before = Record(
        ratios={"routing: time": (1.0, 1.1)},
        machine=other,
        commit="abc",
        at=datetime(2026, 11, 22, tzinfo=UTC),
        messages=5_000,
    )
    console = Console(file=io.StringIO(), width=120)
    console.print(*tables(comparison(before)))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "2.10 (2.00 to 2.20)" in shown
    assert "slower" in shown
    assert "another, 64 cores" in shown


def test_the_record_in_the_repository_can_be_read() -> None:
    assert RECORDED.exists()
    assert read_record() is not None


def test_a_process_that_is_no_server_has_no_family() -> None:
    assert family_cpu_s(1) is None
