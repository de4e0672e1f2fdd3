"""Customers who come back: told once for each return, to whom is for the notifier to say."""

from __future__ import annotations

from typing import Any

from schemas.base import Json
from schemas.envelope import Kind
from tests.intake.chat import USER, Chat
from tests.intake.in_memory import PageAndSite
from tests.intake.log import SITE, key_of


def returns(chat: Chat) -> list[int]:
    """The sessions behind which somebody was told to be back."""
    return [value["session"] for what, value in chat.intake.told if what == "returned"]


class Visitor(Chat):
    """The same customer on a website."""

    def __init__(self) -> None:
        super().__init__()
        self.intake.pages = PageAndSite()

    def writes(self, mid: str) -> None:
        self.apply(self.log.say(USER, mid, page=SITE))

    def tells(self, what: str, **fields: Json) -> None:
        channel, _, account = SITE.partition(":")
        value: dict[str, Any] = {"channel": channel, "account": account, "user": USER, **fields}
        self.apply(self.log.append(Kind("inbound", what), key_of(USER, SITE), value))


def test_on_most_channels_who_opens_another_session_is_back() -> None:
    chat = Chat()
    chat.customer()
    assert returns(chat) == [], "who comes for the first time does not come back"
    for _ in range(2):
        chat.held_by("lan")
        chat.act("end_session")
        chat.customer()
        chat.customer()
    assert returns(chat) == [2, 3]


def test_who_is_kept_out_comes_back_to_nobody() -> None:
    chat = Chat()
    chat.customer()
    chat.desk("blocked")
    chat.customer()
    assert returns(chat) == []


def test_on_a_website_who_had_left_is_back_before_he_writes_and_once() -> None:
    visitor = Visitor()
    visitor.tells("returned")
    visitor.writes("m1")
    visitor.tells("returned")
    assert returns(visitor) == [], "he had not left"
    for round_ in (1, 2):
        visitor.log.wait(minutes=5)
        visitor.tells("left", gone_ms=60_000)
        visitor.tells("left", gone_ms=60_000)
        visitor.tells("returned")
        visitor.tells("returned")
        assert len(returns(visitor)) == round_
        visitor.writes(f"m{round_ + 1}")
    assert returns(visitor) == [1, 2], "nor by his first message"


def test_who_has_written_since_he_was_taken_for_gone_has_not_left() -> None:
    visitor = Visitor()
    visitor.writes("m1")
    visitor.log.wait(seconds=10)
    visitor.tells("left", gone_ms=60_000)
    visitor.tells("returned")
    assert returns(visitor) == []
