"""`make audit` tells what is vulnerable, or that it could not find out; it never takes silence for health."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.security.audit import NOT_KNOWN, UnknownError, main

CLEAN = {"dependencies": [{"name": "orjson", "version": "3.13.0", "vulns": []}], "fixes": []}
WEAK = {
    "dependencies": [
        {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"], "aliases": []}]}
    ]
}
SKIPPED = {"dependencies": [{"name": "x", "skip_reason": "not found"}]}


def told(folder: Path, report: object, *options: str) -> int:
    """What a run with this answer of pip-audit's ends with; none: it cannot be asked."""

    def ask(_: Path) -> str:
        if report is None:
            raise UnknownError("no network")
        return orjson.dumps(report).decode()

    named = ("--lock", str(folder / "lock"), "--record", str(folder / "kept" / "audit.json"))
    return main((*named, *options), ask)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lock").write_text("orjson==3.13.0\n")
    return tmp_path


def test_what_is_vulnerable_fails_with_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(folder, CLEAN) == 0
    assert told(folder, WEAK) == 1
    assert "x 1: PYSEC-1, fixed in 2" in capsys.readouterr().out


@pytest.mark.parametrize("report", [None, SKIPPED, {"dependencies": []}, {}, "words"], ids=str)
def test_no_answer_is_said_and_no_health(
    folder: Path, report: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(folder, report) == 0
    assert told(folder, report, "--strict") == NOT_KNOWN
    said = capsys.readouterr()
    assert said.err.count("NOT AUDITED") == 2
    assert said.out == ""


def test_without_a_network_the_answer_for_the_same_pins_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(folder, WEAK) == 1
    assert told(folder, None) == 1
    assert "not asked now (no network)" in capsys.readouterr().err
    (folder / "lock").write_text("orjson==3.14.0\n")
    assert told(folder, None, "--strict") == NOT_KNOWN
