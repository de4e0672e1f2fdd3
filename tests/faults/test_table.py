"""The table says of each fault what its runs have shown, and nothing that they have not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from faults.catalogue import FAULTS
from faults.table import (
    HEAD,
    HOLDS,
    INVARIANTS,
    LIVENESS,
    MARKS,
    TIMES,
    UNKNOWN,
    VIOLATED,
    put,
    ranges,
    table,
    write,
)

BEGAN_MS = 1_795_410_983_756
"""On 2026-11-23."""
A_DAY_MS = 86_400_000


def a_check(invariant: int, holds: bool | None = True, checked: int = 9, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """One that holds."""
    return {
        "invariant": invariant,
        "title": f"rule {invariant}",
        "holds": holds,
        "checked": checked,
        "phase": None,
        **more,
    }


def a_phase(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    """One that passed."""
    return {
        "names": [name],
        "began_ms": BEGAN_MS,
        "faults": [{"name": name, "hit": True}],
        "sent": {"message": 90, "duplicate": 10},
        "missed": [],
        "unhealed": [],
        "recoveries": [{"name": name, "seconds": 4.0}],
        "drained": {"seconds": 1.5},
    } | changes


def a_run(seed: int, *phases: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
    """One that passed."""
    return {
        "seed": seed,
        "phases": phases,
        "unhealed": [],
        "problems": [],
        "report": {"checks": [a_check(number) for number in INVARIANTS]},
    } | changes


def with_wrong(invariant: int, phase: int | None) -> dict[str, Any]:
    """A report in which something does not hold, because of this phase."""
    return {"checks": [a_check(number, holds=number != invariant, phase=phase) for number in INVARIANTS]}


def cells(lines: list[str], at: int) -> dict[str, str]:
    """A line of the table by its heads."""
    return dict(zip(HEAD, lines[2 + at].strip("| ").split(" | "), strict=True))


def wrong_in(found: dict[str, str]) -> list[int]:
    return [number for number in INVARIANTS if found[str(number)] == VIOLATED]


def test_phases_of_one_fault_share_a_line_in_the_order_of_the_catalogue() -> None:
    slow = a_phase("storm", recoveries=[{"name": "storm", "seconds": 7.0}], drained={"seconds": 9.0})
    lines = table([a_run(3, a_phase("storm"), a_phase("kill_routing")), a_run(4, slow)])
    assert len(lines) == 4
    assert cells(lines, 0)["fault"] == "`kill_routing`"
    found = cells(lines, 1)
    assert (found["fault"], found["seeds"], found["messages"]) == ("`storm`", "3–4", "200")
    assert [found[head] for head in TIMES] == ["5.5", "7.0", "9.0"]
    assert found["hit"] == "2 of 2"
    assert {found[str(number)] for number in INVARIANTS} == {HOLDS}


def test_seeds_are_told_as_people_write_them() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1–3 7 9–10"
    assert ranges([]) == ""


def test_what_never_hit_proves_nothing() -> None:
    missed = a_phase("storm", faults=[{"name": "storm", "hit": False}], missed=["storm"])
    found = cells(table([a_run(3, missed)]), 0)
    assert found["hit"] == "0 of 1"
    assert {found[str(number)] for number in INVARIANTS} == {UNKNOWN}
    assert cells(table([a_run(3, missed), a_run(4, a_phase("storm"))]), 0)["4"] == HOLDS


def test_nothing_is_known_of_an_invariant_of_which_nothing_was_looked_at() -> None:
    unknown = a_check(7, holds=None, checked=0, title="seldom seen")
    looked_at = a_check(7, checked=3)
    others = [a_check(number) for number in INVARIANTS if number != 7]
    found = cells(table([a_run(3, a_phase("storm"), report={"checks": [*others, unknown]})]), 0)
    assert [number for number in INVARIANTS if found[str(number)] == UNKNOWN] == [7]
    found = cells(table([a_run(3, a_phase("storm"), report={"checks": [*others, unknown, looked_at]})]), 0)
    assert (found["7"], found["checks"]) == (HOLDS, "10 of 11")


def test_one_violation_in_any_run_is_told_of_the_phase_in_which_it_was() -> None:
    phases = a_phase("kill_routing"), a_phase("storm")
    lines = table([a_run(3, *phases), a_run(4, *phases, report=with_wrong(4, phase=1))])
    assert (wrong_in(cells(lines, 0)), wrong_in(cells(lines, 1))) == ([], [4])


def test_one_of_which_nobody_knows_when_it_was_is_told_of_all_phases() -> None:
    phases = a_phase("kill_routing"), a_phase("storm")
    lines = table([a_run(4, *phases, report=with_wrong(4, phase=None))])
    assert (wrong_in(cells(lines, 0)), wrong_in(cells(lines, 1))) == ([4], [4])


def test_who_did_not_come_back_violates_liveness() -> None:
    late = a_phase("storm", recoveries=[{"name": "storm", "seconds": None}], unhealed=["60 s after it"])
    lines = table([a_run(3, a_phase("storm")), a_run(4, late, a_phase("poison"))])
    assert wrong_in(cells(lines, 0)) == [LIVENESS]
    assert cells(lines, 0)["at most, s"] == "never"
    assert wrong_in(cells(lines, 1)) == []
    assert wrong_in(cells(table([a_run(3, a_phase("storm"), unhealed=["restless"])]), 0)) == [LIVENESS]


def test_a_page_keeps_what_stands_around_a_table_and_nothing_of_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- faults -->\n| `old` | 1 |\n<!-- /faults -->\nafter\n")
    put(page, ["| `run` | 2 |", "| `new` | 3 |"], MARKS)
    new = "| `run` | 2 |\n| `new` | 3 |"
    assert page.read_text() == f"before\n<!-- faults -->\n{new}\n<!-- /faults -->\nafter\n"


def test_a_line_says_when_its_runs_were_and_of_which_version() -> None:
    later = a_phase("storm", began_ms=BEGAN_MS + 2 * A_DAY_MS)
    assert cells(table([a_run(3, a_phase("storm"))]), 0)["when"] == "2026-11-23"
    lines = table([a_run(4, later, commit="abc"), a_run(3, a_phase("storm"))])
    assert cells(lines, 0)["when"] == "2026-11-23 to 2026-11-25 abc"


def test_under_the_table_stands_what_it_does_not_say(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- faults -->\n| `kill_routing` | 1 |\n\nof before\n<!-- /faults -->\nafter\n")
    nothing = [a_check(8, holds=None, checked=0, title="told once"), a_check(1, holds=None, checked=0)]
    runs = [
        a_run(3, a_phase("storm"), report={"checks": [a_check(1), *nothing]}),
        a_run(4, a_phase("storm"), report={"checks": [a_check(3, holds=None, checked=0)]}),
    ]
    write(page, runs)
    text = page.read_text()
    assert "the results of 2 runs, of 2026-11-23." in text
    assert text.count("\n* ") == 2
    assert "\n\n* 3: rule 3\n* 8: told once\n" in text, "and not what one of the runs has looked at"
    said = next(line for line in text.splitlines() if line.startswith("Faults without a line"))
    assert said.count("`") == 2 * (len(FAULTS) - 1)
    assert "`storm`" not in said
    assert "| `kill_routing` |" not in text, "nothing shows what its line has said"
    assert "of before" not in text
    assert "did not pass" not in text
    write(page, runs)
    assert page.read_text() == text


def test_a_run_that_did_not_pass_is_named_under_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- faults -->\n<!-- /faults -->\n")
    phases = a_phase("kill_routing"), a_phase("storm", names=["storm", "poison"])
    write(page, [a_run(3, *phases, problems=["nothing is lost:\nm7", "late"]), a_run(4, a_phase("storm"))])
    text = page.read_text()
    assert "\n**1 of these runs did not pass:**\n\n" in text
    assert "\n* `--fault kill_routing/storm,poison --seed 3`: nothing is lost: m7\n" in text


def test_a_page_keeps_its_table_while_there_is_no_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- faults -->\n| `storm` | 1 |\n<!-- /faults -->\n")
    with pytest.raises(ValueError, match="no run"):
        write(page, [])
    assert "| `storm` | 1 |" in page.read_text()
