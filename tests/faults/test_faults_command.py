"""`tongdai faults run` records what a plan's runs have shown, and what else it is asked to record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from config.errors import ExitCode
from faults import means, record, version
from faults.plan import Task, full_plan
from faults.record import Record
from tests.faults.test_record import a_result
from tests.faults.test_table import a_phase
from workers.cli.main import run

TASK = full_plan()[-1]
ALONE = Task((("storm",),), 1, 300)
ASKED = ("--fault", "storm", "--messages", "300")


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for the repository's folder."""
    monkeypatch.setattr(record, "RECORD", tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(tmp_path, capsys)


class Said:
    """What a command ends with, and what it prints."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def __call__(self, *arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as exited:
            run(["faults", "run", "--folder", str(self._folder / "runs"), *arguments])
        shown = self._capsys.readouterr()
        return int(exited.value.code or 0), shown.out + shown.err

    def done(self, *arguments: str) -> Sequence[str]:
        """The runs that are."""
        code, text = self(*arguments, "--list")
        assert code == ExitCode.OK, text
        return [line.split()[1] for line in text.splitlines() if line.startswith("done")]


def test_a_run_of_a_plan_is_done_when_it_is_recorded(said: Said, kept: Path) -> None:
    assert said.done() == []
    Record(kept).keep(TASK, a_result(a_phase("storm")))
    assert said.done() == [TASK.name]
    assert said.done("--record", str(kept / "another")) == []


def test_a_fault_by_itself_is_recorded_where_that_is_asked(said: Said, kept: Path, tmp_path: Path) -> None:
    Record(kept).keep(ALONE, a_result(a_phase("storm")))
    assert said.done(*ASKED) == []
    assert said.done(*ASKED, "--record", str(kept)) == [ALONE.name]
    Record(tmp_path / "runs").keep(ALONE, a_result(a_phase("storm")))
    assert said.done(*ASKED) == [ALONE.name]


def test_what_did_not_pass_is_done_again_when_that_is_asked(said: Said, kept: Path) -> None:
    Record(kept).keep(TASK, a_result(a_phase("storm"), problems=["lost"]))
    assert (said.done(), said.done("--again")) == ([TASK.name], [])
    assert len(Record(kept).runs) == 1, "a list changes nothing"


def test_what_was_tried_before_a_commit_is_done_again_when_that_is_asked(
    said: Said, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "commit_of", lambda name: {"v2": "2" * 12}[name])
    monkeypatch.setattr(version, "is_since", lambda tried, commit: tried >= commit)
    Record(kept).keep(TASK, a_result(a_phase("storm"), commit="1" * 12))
    Record(kept).keep(full_plan()[0], a_result(a_phase("storm"), commit="3" * 12))
    assert said.done("--since", "v2") == [full_plan()[0].name]


def test_a_page_shows_all_that_is_recorded_and_nothing_else(said: Said, kept: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- faults -->\n<!-- /faults -->\n")
    code, text = said(*ASKED, "--document", str(page))
    assert (code, "--record" in text) == (ExitCode.USAGE, True)
    Record(kept).keep(ALONE, a_result(a_phase("storm")))
    Record(kept).keep(TASK, a_result(a_phase("poison"), problems=["lost"]))
    code, text = said(*ASKED, "--record", str(kept), "--document", str(page))
    assert code == ExitCode.OK
    assert "`poison`" not in text, "that was not asked for"
    assert "| `poison` |" in page.read_text()
    assert "| `storm` |" in page.read_text()
    assert "1 of these runs did not pass" in page.read_text()


def test_what_the_machine_lacks_is_said_of_the_runs_that_are_left(
    said: Said, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(means, "libfaketime", lambda: None)
    clocks = Task((("jump_clocks",),), 1, 300)
    asked = ("--fault", "jump_clocks", "--messages", "300", "--record", str(kept), "--list")
    assert "1 of 1 runs will break off: clocks cannot be set" in said(*asked)[1]
    Record(kept).keep(clocks, a_result(a_phase("jump_clocks")))
    assert "will break off" not in said(*asked)[1]
