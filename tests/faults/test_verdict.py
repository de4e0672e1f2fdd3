"""A mutant is caught by a check that is meant for it, and by nothing else; the control by nothing."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from faults.mutations import CONTROL, Change, Mutant
from faults.result import Phase, Result
from faults.verdict import Verdict

MUTANT = Mutant("broken", "kill_routing", ("each chain", "each event"), (Change("a.py", "b", "c"),))


def verdict(folder: Path, mutant: Mutant, *unhealed: str, **violated: str) -> Verdict:
    """Of a run in which these checks, by their titles, are violated, or this was not as before."""
    checks = [
        {"title": title.replace("_", " "), "holds": False, "witness": witness, "phase": 0}
        for title, witness in violated.items()
    ]
    checks.append({"title": "each chain counts", "holds": True, "witness": None})
    phase = Phase(["storm"], 1_000, {}, 32.0, None, [], [], [], ["storm"])
    run = Result(3, [phase], 0, {}, 0, 1.0, at_rest=True, stopped={}, report={"checks": checks})
    result = orjson.loads(run.as_json())
    (folder / "result.json").write_bytes(orjson.dumps(result | {"unhealed": unhealed}))
    return Verdict.of(mutant, folder)


def test_a_mutant_is_caught_by_the_first_check_that_it_names(tmp_path: Path) -> None:
    found = verdict(tmp_path, MUTANT, each_event_appears_once="e1 twice", the_lag="1")
    assert found == Verdict(True, "each event appears once: e1 twice")


def test_a_mutant_that_only_other_checks_see_has_survived(tmp_path: Path) -> None:
    found = verdict(tmp_path, MUTANT, the_lag="1")
    assert not found.is_right
    assert "SURVIVED" in found.said
    assert "the lag" in found.said


@pytest.mark.parametrize("mutant", [MUTANT, CONTROL])
def test_of_a_run_without_a_result_nothing_is_known(tmp_path: Path, mutant: Mutant) -> None:
    with pytest.raises(ValueError, match="the run did not end"):
        Verdict.of(mutant, tmp_path)


def test_the_control_is_right_when_nothing_is_found(tmp_path: Path) -> None:
    assert verdict(tmp_path, CONTROL) == Verdict(True, "everything holds; never hit: storm")
    assert not verdict(tmp_path, CONTROL, "the lag was not zero").is_right
    assert not verdict(tmp_path, CONTROL, the_lag="1").is_right
