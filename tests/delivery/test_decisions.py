"""What follows from a channel's answer, windows, splitting, rates: decisions, without any I/O."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from config.delivery import DeliverySettings
from schemas.base import OUR_CHANNELS, ChannelMessageId
from workers.channels.delivery import messenger_errors, messenger_sender, zalo_errors, zalo_sender
from workers.channels.delivery.bucket import Bucket
from workers.channels.delivery.marker import marker, read_marker
from workers.channels.delivery.parts import parts_of
from workers.channels.delivery.posting import Answer
from workers.channels.delivery.progress import (
    Calm,
    Expired,
    Paused,
    Standing,
    Troubled,
    after,
    settle,
)
from workers.channels.delivery.result import Failed, Taken, Unanswered
from workers.channels.delivery.splitting import length, split
from workers.channels.delivery.window import DAY_S, OPEN, terms
from workers.outside.back_off import back_off_s

SETTINGS = DeliverySettings()
MESSENGER_TABLE = {
    (190, None): ("token", "token_broken"),
    (10, 2018278): ("refused", "window_closed"),
    (10, 2018300): ("refused", "other_app"),
    (100, 1893061): ("refused", "policy"),
    (100, None): ("refused", "rejected"),
    (100, 2018001): ("refused", "unreachable"),
    (200, None): ("stop", "permission_missing"),
    (230, None): ("stop", "permission_missing"),
    (551, 1545041): ("refused", "unreachable"),
    (613, None): ("slow_down", "rate_limited"),
    (613, 2018338): ("stop", "page_restricted"),
    (4, None): ("slow_down", "rate_limited"),
    (17, None): ("slow_down", "rate_limited"),
    (32, None): ("slow_down", "rate_limited"),
    (1, None): ("again", "channel_down"),
    (2, 2018344): ("again", "channel_down"),
    (1200, None): ("again", "channel_down"),
    (368, None): ("stop", "page_blocked"),
    (10, 1893063): ("stop", "page_restricted"),
    (2022, None): ("refused", "policy"),
    (10900, None): ("refused", "policy"),
    (10903, None): ("refused", "policy"),
    (10904, None): ("refused", "policy"),
    (987654, None): ("refused", "rejected"),
}
ZALO_TABLE = {
    **dict.fromkeys((-216, -220, -124), "token"),
    -32: "slow_down",
    -200: "again",
    **dict.fromkeys(
        (-201, -213, -217, -218, -227, -230, -232, -233, -234, -244, -248, -100, -210), "refused"
    ),
    **dict.fromkeys((-204, -205, -209, -219, -221, -224, -211, -240, -242, -320, -321, -403), "stop"),
    -987654: "refused",
}


@pytest.mark.parametrize(("error", "expected"), MESSENGER_TABLE.items())
def test_messengers_errors_mean_what_its_table_says(
    error: tuple[int, int | None], expected: tuple[str, str]
) -> None:
    failed = messenger_errors.failure_of(*error, 400)
    assert (failed.means, failed.reason, failed.of_app) == (*expected, error[0] == 4)


def test_an_unknown_error_of_messenger_is_judged_by_its_status() -> None:
    assert [messenger_errors.failure_of(None, None, status).means for status in (400, 429, 500, 503)] == [
        "refused",
        "slow_down",
        "again",
        "again",
    ]


@pytest.mark.parametrize(("code", "means"), ZALO_TABLE.items())
def test_zalos_errors_mean_what_its_table_says(code: int, means: str) -> None:
    assert zalo_errors.failure_of(code).means == means


def test_a_message_with_all_its_parts_taken_is_sent() -> None:
    step, page = after(Taken("m1"), Standing((), 2), SETTINGS, 0.5)
    assert (step.state, step.ids, step.due_s, page) == ("queued", ("m1",), 0.0, Calm())
    step, _ = after(Taken("m2"), Standing(step.ids, 2), SETTINGS, 0.5)
    assert (step.state, step.ids, step.due_s, step.reason) == ("sent", ("m1", "m2"), None, None)


def test_without_an_answer_the_echo_is_waited_for_and_then_the_rule_holds() -> None:
    step, page = after(Unanswered("ReadTimeout"), Standing((), 1), SETTINGS, 0.0)
    assert (step.state, step.due_s) == ("unknown", SETTINGS.echo_wait_s)
    assert isinstance(page, Troubled)
    marked = settle(Standing((), 1), SETTINGS)
    again = settle(Standing((), 1), SETTINGS.model_copy(update={"unanswered": "resend"}))
    assert (marked.state, marked.due_s) == ("unknown", None)
    assert (again.state, again.due_s) == ("queued", 0.0)
    twice = settle(Standing((), 1, resent=True), SETTINGS.model_copy(update={"unanswered": "resend"}))
    assert (twice.state, twice.due_s) == ("unknown", None), "once more, and not for ever"


@given(failures=st.integers(0, 30), page_failures=st.integers(0, 60), spread=st.floats(0, 1))
def test_a_fault_of_the_moment_is_tried_again_later_and_later_until_it_is_given_up(
    failures: int, page_failures: int, spread: float
) -> None:
    was = Standing((), 1, failures, page_failures)
    step, page = after(Failed("again", "channel_down"), was, SETTINGS, spread)
    if failures + 1 >= SETTINGS.attempts_max:
        assert (step.state, step.reason, step.due_s) == ("failed", "channel_down", None)
    else:
        assert (step.state, step.failures) == ("queued", failures + 1)
        assert step.due_s is not None
        assert SETTINGS.retry_first_s / 2 <= step.due_s <= SETTINGS.retry_last_s
    assert isinstance(page, Troubled)
    assert 0 < page.seconds <= SETTINGS.retry_last_s


def test_what_concerns_the_page_stops_the_page_and_keeps_the_message() -> None:
    was = Standing((), 1, failures=3)
    outcomes = {
        means: after(Failed(means, "rate_limited", retry_after_s=7.0), was, SETTINGS, 0.0)
        for means in ("slow_down", "token", "stop")
    }
    assert {step.state for step, _ in outcomes.values()} == {"queued"}
    assert {step.failures for step, _ in outcomes.values()} == {3}
    assert outcomes["slow_down"][1] == Troubled(7.0)
    assert outcomes["token"][1] == Expired()
    assert outcomes["stop"][1] == Paused("rate_limited", SETTINGS.pause_retry_s)


def test_a_refused_message_has_failed_and_its_page_goes_on() -> None:
    step, page = after(Failed("refused", "window_closed"), Standing(("m1",), 3), SETTINGS, 0.0)
    assert (step.state, step.reason, step.ids, page) == ("failed", "window_closed", ("m1",), Calm())


@given(failures=st.integers(1, 40), spread=st.floats(0, 1))
def test_back_off_grows_to_its_limit(failures: int, spread: float) -> None:
    now_s, later_s = (back_off_s(each, SETTINGS.retry, spread) for each in (failures, failures + 1))
    assert 0 < now_s <= later_s <= SETTINGS.retry_last_s


def test_only_channels_that_are_known_for_it_close() -> None:
    never = {each: terms(each, None, by_person=True, human_agent=True, pays=True) for each in OUR_CHANNELS}
    assert {channel for channel, each in never.items() if each.reason is None} == {"web"}
    assert terms("telegram", None, by_person=False, human_agent=False, pays=False) == OPEN


@given(
    channel=st.sampled_from(["messenger", "zalo"]),
    silent_s=st.none() | st.floats(0, 30 * DAY_S),
    by_person=st.booleans(),
    human_agent=st.booleans(),
    pays=st.booleans(),
)
def test_nobody_is_written_to_outside_of_the_window(
    channel: str, silent_s: float | None, by_person: bool, human_agent: bool, pays: bool
) -> None:
    found = terms(channel, silent_s, by_person=by_person, human_agent=human_agent, pays=pays)
    by_ad = terms(channel, silent_s, by_person=by_person, human_agent=human_agent, pays=pays, by_ad=True)
    assert by_ad == ((None, None) if channel == "messenger" else found), "only Messenger waits for longer"
    free_s = {"messenger": DAY_S, "zalo": 2 * DAY_S}[channel]
    if silent_s is None or silent_s > 7 * DAY_S:
        assert found.reason == "window_closed"
    elif silent_s <= free_s:
        assert found == (None, None), "no tag is allowed inside the window"
    elif channel == "zalo":
        assert found.reason == (None if pays else "window_paid")
    else:
        assert (found.tag, found.reason) == (
            ("HUMAN_AGENT", None) if by_person and human_agent else (None, "window_closed")
        )


TEXTS = st.text(alphabet=st.sampled_from("abcdễệ  .\n,!🌸👍🏽\u0301\u200d"), max_size=300)


@given(text=TEXTS, limit=st.integers(2, 60))
def test_a_split_text_loses_nothing_but_white_space_and_fits(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part.strip() for part in parts)
    assert all(length(part) <= limit for part in parts)
    if length(text.strip()) <= limit:
        assert parts == [text.strip()][: bool(text.strip())]


def test_a_text_is_cut_where_it_hurts_least() -> None:
    assert split("Dạ còn hàng ạ. Em gửi chị bảng giá nhé", 20) == [
        "Dạ còn hàng ạ.",
        "Em gửi chị bảng giá",
        "nhé",
    ]
    assert split("một hai\n\nba bốn năm", 14) == ["một hai", "ba bốn năm"]
    assert split("👍🏽" * 4, 10) == ["👍🏽" * 2] * 2, "a sign and its skin tone stay together"


@given(texts=TEXTS, images=st.integers(0, 3), limit=st.integers(2, 60))
def test_parts_are_texts_then_attachments_and_the_same_each_time(texts: str, images: int, limit: int) -> None:
    attachments = [{"type": "image", "url": f"https://cdn.example/{number}"} for number in range(images)]
    content = {"text": texts, "attachments": attachments}
    parts = parts_of(content, limit)
    assert parts == parts_of(content, limit)
    assert [part.number for part in parts] == list(range(len(parts)))
    assert [part.attachment.url for part in parts if part.attachment] == [each["url"] for each in attachments]
    assert [bool(part.attachment) for part in parts] == sorted(bool(part.attachment) for part in parts)


@given(rate=st.floats(0.1, 500), waits_s=st.lists(st.floats(0, 3), max_size=40))
def test_a_bucket_gives_no_more_than_its_rate_and_a_second_at_once(rate: float, waits_s: list[float]) -> None:
    bucket, taken = Bucket.counted(rate, None, 0), 0
    for wait_s in waits_s:
        bucket = Bucket.counted(rate, bucket.tokens, wait_s)
        taken += bucket.whole
        bucket = bucket.take(bucket.whole)
    assert taken <= max(rate, 1) + rate * sum(waits_s) + 1e-6
    later = Bucket.counted(rate, bucket.tokens, bucket.wait_s() + 1e-6)
    assert later.whole >= 1


def test_our_mark_is_read_back_and_no_other() -> None:
    message = UUID(int=7)
    assert read_marker(marker(message, 3)) == (message, 3)
    for text in (None, "", "x", f"tongdai/{message}", f"tongdai/{message}/-1", f"{marker(message, 3)} "):
        assert read_marker(text) is None


@given(st.text(min_size=1, max_size=600))
def test_whatever_id_a_channel_gives_can_be_kept_and_told(id_: str) -> None:
    headers = httpx.Headers()
    answers = (
        messenger_sender._read(Answer(200, {"message_id": id_}, headers)),
        zalo_sender._read(Answer(200, {"error": 0, "data": {"message_id": id_}}, headers)),
    )
    for answer in answers:
        if isinstance(answer, Taken):
            assert TypeAdapter(ChannelMessageId).validate_python(answer.id) == answer.id
        else:
            assert isinstance(answer, Unanswered), "it is none"
