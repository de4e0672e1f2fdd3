"""The mutants fit the code of today: each breaks what it says, and names faults that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.catalogue import FAULTS
from faults.mutations import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_still_finds_what_it_changes(mutant: Mutant) -> None:
    for change in mutant.changes:
        assert (ROOT / change.path).read_text().count(change.before) == 1, change.path
        assert change.before != change.after
    assert set(mutant.faults.split(",")) <= set(FAULTS)
