"""The table says of each fault what its runs have shown, and nothing that they have not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from faults.table import HEAD, INVARIANTS, put, read, table


def a_run(name: str, seed: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    """One that passed."""
    return {
        "seed": seed,
        "faults": [{"name": name, "hit": True}],
        "sent": {"message": 90, "duplicate": 10},
        "missed": [],
        "unhealed": [],
        "problems": [],
        "recoveries": [{"name": name, "seconds": float(seed)}],
        "report": {"checks": [{"invariant": number, "holds": True} for number in INVARIANTS]},
    } | changes


def cells(lines: list[str], at: int) -> dict[str, str]:
    """A line of the table by its heads."""
    return dict(zip(HEAD, lines[2 + at].strip("| ").split(" | "), strict=True))


def test_runs_of_one_fault_share_a_line() -> None:
    lines = table([a_run("reset_all", 3), a_run("freeze", 1), a_run("reset_all", 8)])
    assert len(lines) == 4
    found = cells(lines, 0)
    assert (found["fault"], found["seeds"], found["messages"]) == ("`reset_all`", "3 8", "200")
    assert (found["hit"], found["recovered, s"], found["at most, s"]) == ("2 of 2", "5.5", "8.0")
    assert {found[str(number)] for number in INVARIANTS} == {"✓"}


def test_what_never_hit_proves_nothing() -> None:
    run = a_run("reset_all", 3, faults=[{"name": "reset_all", "hit": False}], missed=["reset_all"])
    found = cells(table([run]), 0)
    assert found["hit"] == "0 of 1"
    assert {found[str(number)] for number in INVARIANTS} == {"?"}


def test_one_violation_in_any_run_is_told() -> None:
    checks = [{"invariant": number, "holds": number != 4} for number in INVARIANTS]
    found = cells(table([a_run("reset_all", 3), a_run("reset_all", 4, report={"checks": checks})]), 0)
    assert [number for number in INVARIANTS if found[str(number)] != "✓"] == [4]


def test_who_did_not_come_back_violates_liveness() -> None:
    late = {"recoveries": [{"name": "reset_all", "seconds": None}], "unhealed": ["60 s after it"]}
    found = cells(table([a_run("reset_all", 3), a_run("reset_all", 4, **late)]), 0)
    assert (found["9"], found["8"], found["at most, s"]) == ("✗", "✓", "never")


def test_the_page_keeps_what_stands_around_the_table_and_lines_of_other_faults(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- faults -->\n| `old` | 1 |\n| `run` | 1 |\n<!-- /faults -->\nafter\n")
    put(page, ["| `run` | 2 |", "| `new` | 3 |"])
    kept = "| `old` | 1 |\n| `run` | 2 |\n| `new` | 3 |"
    assert page.read_text() == f"before\n<!-- faults -->\n{kept}\n<!-- /faults -->\nafter\n"


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the run did not end"):
        read(tmp_path)
    (tmp_path / "result.json").write_bytes(orjson.dumps([1]))
    with pytest.raises(ValueError, match="no result of a run"):
        read(tmp_path)
