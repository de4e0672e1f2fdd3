"""What a page says by itself when a session opens: in which words, how often, and to whom not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from schemas.definitions import AutoText, Hours, Policy
from schemas.outbound import Send
from tests.intake.chat import USER, Chat
from tests.intake.in_memory import SILENCE_MS
from tests.intake.log import key_of
from tests.intake.test_effects import ACTS, USERS, Act, Story
from workers.routing.intake.greeting import AutoTexts, greeting

BOTH, CLOSED = AutoText(vi="Chào bạn", en="Hello"), AutoText(vi="Hết giờ", en="Closed")
TEXTS = AutoTexts(BOTH, CLOSED)
OFFICE = Hours.model_validate(
    {
        "stretches": [{"days": ["mon", "tue", "wed", "thu", "fri"], "begins": "08:00", "ends": "17:00"}],
        "holidays": ["2027-02-08"],
    }
)
MONDAY, HOLIDAY = datetime(2027, 2, 1, 3, tzinfo=UTC), datetime(2027, 2, 8, 3, tzinfo=UTC)
"""Ten in the morning in Hồ Chí Minh City."""
EVENING = datetime(2027, 2, 1, 10, tzinfo=UTC)
"""Five in the afternoon: closed from this moment on."""


def chat(texts: AutoTexts = TEXTS, hours: Hours | None = None) -> Chat:
    made = Chat()
    made.intake.pages.texts = texts
    made.intake.policies.policy = Policy(hours=hours)
    return made


def lines(chat: Chat) -> list[dict[str, Any]]:
    """What the page said by itself, as the transcript has it."""
    return [line for line in chat.intake.stored if line["sender"] == "system" and line["kind"] != "log"]


@pytest.mark.parametrize(
    ("at", "hours", "code"),
    [
        (MONDAY, OFFICE, "greeting"),
        (EVENING, OFFICE, "out_of_hours"),
        (HOLIDAY, OFFICE, "out_of_hours"),
        (EVENING, None, "greeting"),
    ],
)
def test_business_hours_say_which_it_is(at: datetime, hours: Hours | None, code: str) -> None:
    assert OFFICE.holidays == (date(2027, 2, 8),)
    said = greeting(TEXTS, hours, at, None)
    assert said is not None
    assert said.code == code


def test_who_has_no_words_for_closing_time_greets_and_who_has_none_is_silent() -> None:
    said = greeting(AutoTexts(greeting=BOTH), OFFICE, EVENING, None)
    assert said is not None
    assert said.code == "greeting"
    assert greeting(AutoTexts(out_of_hours=CLOSED), OFFICE, MONDAY, None) is None
    assert greeting(AutoTexts(), OFFICE, EVENING, None) is None


@pytest.mark.parametrize(
    ("language", "text", "told"),
    [
        (None, BOTH, "Chào bạn"),
        ("vi", BOTH, "Chào bạn"),
        ("VI_vn", BOTH, "Chào bạn"),
        ("en", BOTH, "Hello"),
        ("en-US", BOTH, "Hello"),
        ("fr", BOTH, "Hello"),
        ("fr", AutoText(vi="Chào bạn"), "Chào bạn"),
        ("vi", AutoText(en="Hello"), "Hello"),
    ],
)
def test_it_is_in_the_customers_language_as_far_as_there_are_words(
    language: str | None, text: AutoText, told: str
) -> None:
    said = greeting(AutoTexts(greeting=text), None, MONDAY, language)
    assert said is not None
    assert said.text == told


def test_it_is_the_systems_line_behind_the_customers_and_goes_to_the_channel_like_an_answer() -> None:
    told = chat()
    told.customer("giá bao nhiêu", language="en")
    (line,) = lines(told)
    assert (line["position"], line["session"], line["text"], line["code"]) == (2, 1, "Hello", "greeting")
    (sent,) = told.intake.sent
    send = Send.model_validate(sent)
    assert (str(send.message), send.position, send.text) == (line["message"], 2, "Hello")
    assert (send.sender, send.attachments, send.reply_to) == ("system", (), None)
    assert send.last_customer_at == send.at


def test_it_is_no_care_and_asks_nobody_anything() -> None:
    told, silent = chat(), chat(AutoTexts())
    for each in (told, silent):
        each.customer()
        each.customer()
    assert [(what, value["position"]) for what, value in told.intake.commands] == [("route", 1)]
    assert told.commands() == silent.commands()
    assert (told.conversation.answered_at_ms, told.conversation.session_agent_messages) == (None, 0)


def test_a_customer_who_is_kept_out_is_not_greeted_and_later_is() -> None:
    told = chat()
    told.customer()
    told.desk("session_opened")
    told.desk("blocked")
    told.act("end_session", authority="admin")
    told.customer("ơi")
    assert len(lines(told)) == 1
    told.desk("unblocked")
    told.customer("ơi")
    assert [line["session"] for line in lines(told)] == [1, 2]


def test_what_the_page_itself_says_outside_opens_nothing_and_greets_nobody() -> None:
    told = chat()
    for author in ("bot", "human"):
        told.apply(told.log.say(USER, f"e {author}", what="echo", author=author))
    assert lines(told) == []
    assert told.intake.sent == []


def test_the_logs_clock_decides_and_not_the_channels() -> None:
    told = chat(hours=OFFICE)
    told.log.now_ms = round(EVENING.timestamp() * 1000) - 1
    told.customer(sent_at_ms=round(EVENING.timestamp() * 1000) + 60_000)
    told.log.wait(milliseconds=SILENCE_MS + 1)
    told.apply(told.log.session_timer(USER, 1, told.log.now_ms - 1))
    told.customer(sent_at_ms=round(MONDAY.timestamp() * 1000))
    assert [line["code"] for line in lines(told)] == ["greeting", "out_of_hours"]


@given(ACTS)
@settings(max_examples=100, deadline=None)
def test_each_session_is_greeted_once_and_each_greeting_is_sent(acts: Sequence[Act]) -> None:
    story = Story()
    story.intake.pages.texts = TEXTS
    for act in acts:
        story.happen(act)
    for user in USERS:
        of_him = [line for line in story.intake.stored if line["key"] == key_of(user)]
        assert [line["position"] for line in of_him] == list(range(1, len(of_him) + 1))
        greetings = [line for line in of_him if line["sender"] == "system" and line["kind"] == "text"]
        opened = [one for one in story.intake.openings if one.conversation.user == user]
        assert [(line["session"], line["position"]) for line in greetings] == [
            (one.session, one.first_position + 1) for one in opened
        ]
        sent = Counter(value["message"] for value in story.intake.sent if value["key"] == key_of(user))
        assert sent == Counter(line["message"] for line in greetings)
