"""What a run says of itself: why it did not pass, and which of its phases must be seen alone."""

from __future__ import annotations

from typing import Any

import orjson

from faults.result import MISSED, Phase, Result

BEGAN = {"what": "phase", "at_s": 10.0, "clock_ms": 1_000}
OVER = {"what": "phase_over", "at_s": 42.04}


def line(what: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    return {"what": what, "at_s": 20.0, **fields}


def a_phase(name: str, *lines: dict[str, Any], hit: bool = True) -> Phase:
    """One in which the fault happened, and these lines were written."""
    happened = line("fault", name=name, hit=hit)
    return Phase.of([BEGAN, happened, *lines, OVER], {"message": 9}, [name])


def a_result(*phases: Phase, checks: tuple[dict[str, Any], ...] = (), **changes: Any) -> Result:  # noqa: ANN401
    usual: dict[str, Any] = {
        "unknown": 0,
        "agents": {},
        "restarts": 0,
        "heal_s": 1.0,
        "at_rest": True,
        "stopped": {"routing-1": 0},
    }
    return Result(seed=1, phases=list(phases), report={"checks": checks}, **usual | changes)


def violated(phase: int | None) -> dict[str, Any]:
    return {"title": "nothing is lost", "witness": "m7", "holds": False, "phase": phase}


RECOVERED = line("recovered", name="storm", seconds=3.0, wrong="")
LATE = line("recovered", name="storm", seconds=None, wrong="behind: 7")
KILLED = line("ended", worker="routing-1", code=-9)
CRASHED = line("ended", worker="notifier-2", code=1)


def test_a_phase_takes_from_the_history_what_is_its_own() -> None:
    drained = line("drained", seconds=2.0, wrong="")
    phase = a_phase("storm", KILLED, RECOVERED, CRASHED, drained)
    assert (phase.began_ms, phase.took_s, phase.missed) == (1_000, 32.0, [])
    assert phase.recoveries == [RECOVERED]
    assert phase.drained == drained
    assert phase.crashes == ["notifier-2 with 1"]


def test_a_run_in_which_everything_holds_has_no_problems_and_no_suspects() -> None:
    result = a_result(a_phase("storm", RECOVERED, KILLED), a_phase("poison"))
    assert (result.problems, result.suspects) == ([], [])
    found = orjson.loads(result.as_json())
    assert [phase["unhealed"] for phase in found["phases"]] == [[], []]


def test_a_witness_of_a_known_time_accuses_its_phase_and_one_of_an_unknown_time_all() -> None:
    phases = a_phase("storm"), a_phase("poison")
    known = a_result(*phases, checks=(violated(1),))
    assert known.problems == ["nothing is lost: m7 (while poison)"]
    assert known.suspects == [1]
    unknown = a_result(*phases, checks=(violated(1), violated(None)))
    assert unknown.problems[1] == "nothing is lost: m7"
    assert unknown.suspects == [0, 1]


def test_who_does_not_recover_or_ends_of_itself_accuses_his_phase() -> None:
    result = a_result(a_phase("poison"), a_phase("storm", LATE), a_phase("storm", RECOVERED, CRASHED))
    assert result.problems == [
        "60 s after storm: behind: 7 (while storm)",
        "notifier-2 with 1, of itself (while storm)",
    ]
    assert result.suspects == [1, 2]


def test_a_worker_may_end_by_itself_where_the_fault_leaves_it_no_choice() -> None:
    recovered = line("recovered", name="little_memory", seconds=3.0, wrong="")
    assert a_result(a_phase("little_memory", recovered, CRASHED)).problems == []


def test_what_was_not_worked_off_in_time_is_a_problem() -> None:
    late = line("drained", seconds=None, wrong="behind: 9")
    assert a_result(a_phase("storm", late)).problems == ["60 s after all was sent: behind: 9"]


def test_what_is_wrong_at_the_end_accuses_all() -> None:
    result = a_result(a_phase("storm"), a_phase("poison"), stopped={"routing-1": 3}, at_rest=False)
    assert len(result.problems) == 2
    assert result.suspects == [0, 1]


def test_one_of_several_that_missed_is_seen_alone_and_alone_it_must_hit() -> None:
    both = a_result(a_phase("storm", hit=False), a_phase("poison"))
    assert (both.problems, both.suspects) == ([], [0])
    assert a_result(a_phase("storm", hit=False)).problems == [f"storm {MISSED}"]
