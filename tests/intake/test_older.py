"""Older messages that are fetched from a channel: kept, and nothing follows from them."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.base import Json
from schemas.inbound import Echo
from tests.intake.chat import USER, Chat
from tests.intake.log import BEGIN_MS
from workers.channels.delivery.parts import Part
from workers.routing.intake.own import Own, Sent, own

DAY_MS = 24 * 60 * 60 * 1000


def older(chat: Chat, mid: str, days: int, *, what: str = "message", **fields: Json) -> dict[str, Any]:
    """A message of so many days ago; returns its line."""
    sent_at_ms = BEGIN_MS - days * DAY_MS
    chat.apply(chat.log.say(USER, mid, what=what, history=True, sent_at_ms=sent_at_ms, **fields))
    return chat.intake.stored[-1]


def commands(chat: Chat) -> list[tuple[str, Any]]:
    return [(what, value.get("answered")) for what, value in chat.intake.commands]


@pytest.fixture
def chat() -> Chat:
    return Chat()


class TestOlderMessages:
    def test_have_their_places_in_the_log_s_order_and_are_of_no_session(self, chat: Chat) -> None:
        chat.customer()
        line = older(chat, "h1", 3)
        assert (line["position"], line["session"], line["history"]) == (2, 0, True)
        assert line["sent_at"].startswith("2025-11-19")
        chat.customer()
        assert "history" not in chat.intake.stored[-1]
        assert chat.intake.stored[-1]["session"] == 1

    def test_open_no_session_greet_nobody_and_ask_for_nobody(self, chat: Chat) -> None:
        older(chat, "h1", 2)
        older(chat, "h2", 3, what="echo", author="bot")
        older(chat, "h3", 4, what="postback")
        assert commands(chat) == [("history_kept", False)], "the desk hears once that it is there"
        assert (chat.intake.openings, chat.intake.sent) == ([], [])
        assert chat.conversation.last_at_ms == BEGIN_MS - 2 * DAY_MS, "as long ago as it was"

    def test_leave_a_session_that_is_open_as_it_is(self, chat: Chat) -> None:
        chat.customer()
        chat.held_by("lan")
        before = chat.conversation.last_at_ms, chat.conversation.session_customer_messages
        asked = len(chat.intake.commands)
        chat.log.wait(minutes=10)
        older(chat, "h1", 2)
        assert (chat.conversation.last_at_ms, chat.conversation.session_customer_messages) == before
        assert len(chat.intake.commands) == asked, "the desk is not even told that somebody writes"

    def test_are_kept_once_whoever_comes_first(self, chat: Chat) -> None:
        chat.customer()
        older(chat, "m1", 0)
        older(chat, "h1", 1)
        older(chat, "h1", 1)
        assert [line["position"] for line in chat.intake.stored] == [1, 2]

    def test_suggest_a_phone_number_only_while_none_is_known(self, chat: Chat) -> None:
        older(chat, "h1", 1, text="số em 0912345678")
        older(chat, "h2", 2, text="số cũ 0987654321")
        told = [value["suggested_phone"] for what, value in chat.intake.told if what == "customer_changed"]
        assert told == ["0912345678"]


class TestAHumanAnswerInThem:
    def test_is_told_with_the_first_session(self, chat: Chat) -> None:
        older(chat, "h1", 1)
        older(chat, "h2", 2, what="echo", author="human")
        older(chat, "h3", 3, what="echo", author="human")
        assert commands(chat) == [("history_kept", False), ("history_kept", True)], "and at once, the first"
        chat.customer()
        assert commands(chat)[-1] == ("route", True)

    def test_is_not_told_when_a_human_has_answered_here(self, chat: Chat) -> None:
        chat.customer()
        chat.held_by("lan")
        chat.act("say", text="dạ")
        asked = len(chat.intake.commands)
        older(chat, "h1", 1, what="echo", author="human")
        assert len(chat.intake.commands) == asked

    def test_of_a_bot_means_nothing(self, chat: Chat) -> None:
        older(chat, "h1", 1, what="echo", author="bot")
        chat.customer()
        assert commands(chat) == [("history_kept", False), ("route", None)]


@pytest.mark.parametrize(
    ("history", "expected"), [(True, Own("m", 1, known=False)), (False, None)], ids=["older", "live"]
)
def test_our_own_answer_without_our_mark_is_known_by_its_text_while_it_is_under_way(
    history: bool, expected: Own | None
) -> None:
    echo = Echo(
        channel="messenger",
        account="100",
        user=USER,
        channel_message_id="mid",
        text="dạ còn ạ",
        author="human",
        history=history,
    )
    assert own(echo, [Sent("m", ("first",), Part(1, "dạ còn ạ"))]) == expected
