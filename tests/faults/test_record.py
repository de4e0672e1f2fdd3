"""What a run has shown is kept in a small file, and the table of that is the table of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from config.errors import ConfigurationError
from faults.plan import Task
from faults.record import RECORD, Record, read
from faults.table import INVARIANTS, blind, failed, table
from tests.faults.test_table import BEGAN_MS, a_check, a_phase, a_run

TASK = Task((("storm",), ("poison",)), 3, 100)
OTHER = Task((("storm",),), 4, 100)


def a_result(*phases: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    """As a run leaves it, with what nobody reads."""
    more = {
        "suspects": [],
        "commit": "3f2813171a0c",
        "began": "2026-11-23T09:54:01+00:00",
        "took_s": 41.5,
        "others_share": 0.4,
        "machine": {"processor": "a fast one", "cores": 2},
        "agents": {"commands": 200},
    }
    return a_run(3, *phases, **more | changes)


def violated() -> dict[str, Any]:
    """A run that missed once, and of which something does not hold in its second phase."""
    wrong = a_check(4, holds=False, phase=1, witness="m7", violations=2)
    unknown = a_check(7, holds=None, checked=0)
    others = [a_check(number) for number in INVARIANTS if number not in {4, 7}]
    never = a_phase("storm", recoveries=[{"name": "storm", "seconds": None}], drained=None, unhealed=["late"])
    missed = a_phase("poison", faults=[{"name": "poison", "hit": False, "worker": "routing-1"}])
    report = {"checks": [*others, unknown, wrong], "counts": {"inbound": 7}}
    return a_result(never, missed, report=report, problems=["rule 4: m7", "late"], suspects=[0, 1])


@pytest.mark.parametrize("run", [a_result(a_phase("storm"), a_phase("poison")), violated()])
def test_the_table_of_what_is_recorded_is_that_of_the_run(tmp_path: Path, run: dict[str, Any]) -> None:
    Record(tmp_path).keep(TASK, run)
    [found] = Record(tmp_path).runs
    assert (table([found]), blind([found]), failed([found])) == (table([run]), blind([run]), failed([run]))


def test_a_file_says_of_which_version_when_and_where_a_run_was_and_whether_it_passed(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep(TASK, violated())
    record.keep(OTHER, a_result(a_phase("storm")))
    found = orjson.loads((tmp_path / f"{TASK.name}.json").read_bytes())
    assert (found["passed"], found["problems"]) == (False, ["rule 4: m7", "late"])
    assert found["violated"][0]["witness"] == "m7"
    assert (found["commit"], found["began"]) == ("3f2813171a0c", "2026-11-23T09:54:01+00:00")
    assert (found["took_s"], found["machine"]["cores"]) == (41.5, 2)
    assert "agents" not in found
    assert orjson.loads((tmp_path / f"{OTHER.name}.json").read_bytes())["passed"]


def test_a_later_result_replaces_an_earlier_one_and_one_may_be_dropped(tmp_path: Path) -> None:
    record = Record(tmp_path / "new")
    assert record.find(TASK) is None
    record.keep(TASK, violated())
    record.keep(TASK, a_result(a_phase("storm", began_ms=BEGAN_MS + 1)))
    for each in (record, Record(tmp_path / "new")):
        assert [run["problems"] for run in each.runs] == [[]]
    record.drop(TASK)
    record.drop(OTHER)
    assert (record.runs, Record(tmp_path / "new").runs) == ([], [])


@pytest.mark.parametrize("text", ["<<<<<<< HEAD", "[1]", "{}", '{"violated": [], "checks": 1}'])
def test_a_file_that_is_no_recorded_run_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "merged.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"merged\.json is no recorded run"):
        Record(tmp_path)


def test_what_is_recorded_in_the_repository_can_be_shown() -> None:
    runs = Record(RECORD).runs
    assert len(table(runs)) >= 2 + bool(runs)


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the run did not end"):
        read(tmp_path)
    (tmp_path / "result.json").write_bytes(orjson.dumps([1]))
    with pytest.raises(ValueError, match="no result of a run"):
        read(tmp_path)
    (tmp_path / "result.json").write_bytes(orjson.dumps({"phases": []}))
    with pytest.raises(ValueError, match="of this version"):
        read(tmp_path)
