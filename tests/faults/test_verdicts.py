"""A verdict is kept with the code, for the trial that it is of and for no other one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from config.errors import ConfigurationError
from faults.mutations import Change, Mutant
from faults.trial import FAULT_S, RATE_PER_S, Trial
from faults.verdict import Verdict
from faults.verdicts import Verdicts

MUTANT = Mutant("lanes are broken", "kill_routing,storm", ("each chain",), (Change("a.py", "b", "c"),))
OTHER = MUTANT._replace(name="desks are broken")
TRIAL = Trial(MUTANT, 1, 6_000)
CAUGHT = Verdict(True, "each chain counts: u1 | seq 3")
COMMIT, BEGAN = "3f2813171a0c", "2026-11-23T20:01:09+00:00"


def kept(folder: Path, trial: Trial = TRIAL) -> Verdicts:
    """Those of a folder in which one is recorded."""
    Verdicts(folder).keep(trial, CAUGHT, COMMIT, BEGAN)
    return Verdicts(folder)


def test_what_is_kept_says_what_was_tried_when_and_of_which_version(tmp_path: Path) -> None:
    found = kept(tmp_path).find(TRIAL)
    assert found is not None
    assert found == orjson.loads((tmp_path / "lanes-are-broken-seed-1.json").read_bytes())
    assert (found["mutant"], found["faults"], found["seed"]) == (MUTANT.name, MUTANT.faults, 1)
    assert (found["commit"], found["began"], found["messages"]) == (COMMIT, BEGAN, 6_000)
    assert (found["is_right"], found["said"]) == (CAUGHT.is_right, CAUGHT.said)


@pytest.mark.parametrize(
    "other",
    [
        replace(TRIAL, seed=2),
        replace(TRIAL, messages=12_000),
        replace(TRIAL, mutant=OTHER),
        replace(TRIAL, mutant=MUTANT._replace(faults="storm")),
        replace(TRIAL, mutant=MUTANT._replace(changes=(Change("a.py", "b", "d"),))),
        replace(TRIAL, mutant=MUTANT._replace(seen_by=("each event",))),
    ],
    ids=["seed", "messages", "mutant", "faults", "change", "checks"],
)
def test_another_seed_length_change_fault_or_check_is_another_trial(tmp_path: Path, other: Trial) -> None:
    assert kept(tmp_path).find(other) is None


def test_the_table_has_what_is_recorded_of_the_mutants_as_they_are_now(tmp_path: Path) -> None:
    lines = kept(tmp_path).table([OTHER, MUTANT])
    cells = ["lanes are broken", "`kill_routing` `storm`", "1", "6,000", "each chain counts: u1 / seq 3"]
    assert lines[2] == f"| {' | '.join([*cells, '2026-11-23 3f2813171a0c'])} |"
    assert lines[3:] == ["", "Not tried as they are now: desks are broken."]
    changed = MUTANT._replace(changes=(Change("a.py", "b", "d"),))
    assert kept(tmp_path).table([changed])[2:] == ["", "Not tried as they are now: lanes are broken."]


def test_a_trial_lasts_until_its_last_fault_is_over() -> None:
    assert Trial.of(MUTANT, 1, 50).messages == 50 * RATE_PER_S
    often = MUTANT._replace(faults=",".join(["storm"] * 8))
    assert Trial.of(often, 1, 50).messages == 8 * FAULT_S * RATE_PER_S


def test_a_file_that_is_no_verdict_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "lanes-are-broken-seed-1.json").write_text('{"mutant": "lanes are broken"}')
    with pytest.raises(ConfigurationError, match=r"lanes-are-broken-seed-1\.json is no recorded verdict"):
        Verdicts(tmp_path)
