"""Every proof that docs/security.md names is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.proofs import proofs_in

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def named() -> set[Path]:
    """The files of tests that the page names."""
    found = re.findall(r"`(tests/[a-z]+/)?(test_[a-z_]+\.py)", PAGE)
    return {ROOT / (folder or "tests/security") / name for folder, name in found}


def test_every_file_that_is_named_has_tests() -> None:
    assert len(named()) > 20
    assert [file for file in named() if not file.exists() or not proofs_in(file)] == []


def test_every_test_that_is_named_by_itself_is_there() -> None:
    found = re.findall(r"`(tests/[a-z]+/|)(test_[a-z_]+\.py)::(\w+)`", PAGE)
    assert found
    files = [(ROOT / (folder or "tests/security") / name, test) for folder, name, test in found]
    assert [(file, test) for file, test in files if test not in proofs_in(file)] == []


def test_every_test_of_this_folder_is_named() -> None:
    own = set(Path(__file__).parent.glob("test_*.py")) - {Path(__file__)}
    assert own <= named()


def test_no_line_of_a_threat_is_without_a_proof() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    assert [row for row in rows if "`" not in row.split("|")[3]] == ["| threat | what stops it | proof |"] * 5
