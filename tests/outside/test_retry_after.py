"""What a header Retry-After says, in both of its forms and in none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.outside.retry_after import RETRY_AFTER_MAX_S, read_retry_after

NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("\x1c7", 7.0),
        ("Sun, 22 Nov 2026 08:16:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 08:14:00 GMT", 0.0),
        ("Sun, 22 Nov 99999999999999999999 08:14:00 GMT", None),
        ("Sun, 22 Nov 2026 08:14:00 +99999999999999999999", None),
        ("99999999999999999999", RETRY_AFTER_MAX_S),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, NOW) == seconds


@given(st.text())
def test_retry_after_may_be_anything(text: str) -> None:
    found = read_retry_after(text, NOW)
    assert found is None or found >= 0


def test_a_date_without_a_zone_is_taken_as_utc() -> None:
    later = (NOW + timedelta(seconds=30)).strftime("%a, %d %b %Y %H:%M:%S -0000")
    assert read_retry_after(later, NOW) == 30.0
