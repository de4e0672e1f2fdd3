"""For how long somebody else's server asks to be left alone. Pure; RFC 9110, section 10.2.3."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRY_AFTER_MAX_S = 24 * 60 * 60.0
"""Whoever asks for more is asked again after a day."""


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds of a header Retry-After, which is a number of them or a date; none: it says nothing."""
    if text is None:
        return None
    if text.strip().isdecimal() and text.isascii():
        return min(float(text.strip()), RETRY_AFTER_MAX_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # numbers as long as somebody likes
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
