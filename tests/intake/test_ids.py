"""Ids and times as text: the quick ways say the same as the plain ones."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from schemas import ids
from schemas.base import rfc3339
from schemas.envelope import moment, time_text

LAST_MS = 253_402_300_799_999


@given(st.text())
def test_ids_are_those_of_the_standard_library(name: str) -> None:
    expected = uuid.uuid5(uuid.UUID(bytes=ids.EVENTS), name)
    assert ids.uuid5(ids.EVENTS, name) == expected
    assert ids.uuid5_text(ids.EVENTS, name) == str(expected)


@given(st.integers(min_value=0, max_value=LAST_MS))
def test_times_are_exact_to_the_millisecond(at_ms: int) -> None:
    assert time_text(at_ms) == rfc3339(moment(at_ms))
    assert round((moment(at_ms) - moment(0)).total_seconds() * 1000) == at_ms
