"""docs/reliability.md names for each thing that was found the tests that would find it again."""

from __future__ import annotations

import re
from pathlib import Path

from tests.proofs import proofs_in

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)?::([\w:]+)`")
"""The file is that of the one before where none is named."""
NOT_OURS = "By hand"
"""What was Kafka's is no test's to find."""


def test_every_test_that_is_named_is_there() -> None:
    named, file = [], ""
    for path, test in NAMED.findall(PAGE):
        file = path or file
        named.append((file, test))
    assert len(named) > 15
    assert [(file, test) for file, test in named if test not in proofs_in(ROOT / file)] == []


def test_nothing_that_was_found_is_without_a_test() -> None:
    found = PAGE.partition("## What these runs have found")[2].partition("\n\n|")[2].partition("\n\n")[0]
    rows = found.splitlines()[2:]
    assert len(rows) > 10
    assert [row for row in rows if not NAMED.search(row) and NOT_OURS not in row] == []
