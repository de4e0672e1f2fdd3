"""docs/channels.md: every kind of message and every error of a platform, and what becomes of it."""

from __future__ import annotations

from tests.channels.channels_page import PAGE
from tests.channels.outbound_page import page


def test_the_page_is_not_stale() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "write it: python -m tests.channels.outbound_page"
