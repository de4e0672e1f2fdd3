"""Every proof that docs/security.md names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:tests/[a-z]+/)?test_[a-z_]+\.py)`", PAGE))
    assert len(named) > 20
    missing = [
        name for name in named if not (ROOT / name).exists() and not (ROOT / "tests/security" / name).exists()
    ]
    assert missing == []


def test_every_test_of_this_folder_is_named() -> None:
    own = {path.name for path in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}
    assert own <= set(re.findall(r"`(test_[a-z_]+\.py)`", PAGE))


def test_no_line_of_a_threat_is_without_a_proof() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    assert [row for row in rows if "`" not in row.split("|")[3]] == ["| threat | what stops it | proof |"] * 5
