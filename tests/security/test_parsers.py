"""Whatever comes from outside is read or refused, and quickly. Many more: python -m tests.security.fuzz."""

from __future__ import annotations

import pytest

from tests.security.fuzz import fuzz
from tests.security.parsers import PARSERS, Parser

INPUTS = 300
TAKEN_MIN = 1
"""Of so many inputs at least one must be read: what bends too much tries nothing behind the first look."""


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name.replace(" ", "-"))
def test_nothing_is_raised_but_a_refusal(parser: Parser) -> None:
    found = fuzz(parser, 0, INPUTS)
    assert found.failed == []
    assert found.taken >= TAKEN_MIN
