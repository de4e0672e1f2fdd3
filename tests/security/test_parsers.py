"""Whatever comes from outside is read or refused, and quickly. Many more: python -m tests.security.fuzz."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.fuzz import Slowest, once
from tests.security.parsers import PARSERS, Parser

INPUTS = 100
TAKEN_MIN = 1
"""Of so many inputs at least one must be read: what bends too much tries nothing behind the first look."""


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name.replace(" ", "-"))
def test_nothing_is_raised_but_a_refusal(parser: Parser) -> None:
    taken = [0]
    slowest = Slowest()

    @settings(max_examples=INPUTS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def tried(data: st.DataObject) -> None:
        taken[0] += once(parser, data.draw(parser.inputs), slowest)

    tried()
    assert taken[0] >= TAKEN_MIN
