"""Calls of FChat's JSON API block: who may call, in which form, and what is made of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.ingress import FchatBot
from schemas.inbound import Attachment, Echo, InboundRecord, Message, Postback, Profile
from tests.channels.test_normalisers_property import JSON, SLOW_MACHINE, check_record
from workers.channels.channel import Refused, Skipped
from workers.channels.fchat import FORM, Fchat, FchatCaller
from workers.channels.problem import MalformedError, WrongTokenError
from workers.channels.records import Webhook, outgoing

TOKEN, OTHER = "x1" * 20, "y2" * 20
FCHAT = Fchat(
    [
        FchatBot.model_validate({"account": "hoa-sen", "path_token": TOKEN}),
        FchatBot.model_validate(
            {"account": "la-la", "path_token": OTHER, "attributes": {"user": "messenger_user_id"}}
        ),
    ]
)
IS_FORM = {"content-type": f"{FORM}; charset=UTF-8"}


def call(token: str = TOKEN, /, **said: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """The items of a call with JSON."""
    caller = FCHAT.at(token)
    return list(caller.items(caller.open({"content-type": "application/json"}, orjson.dumps(said))))


def one(**said: Any) -> InboundRecord:  # noqa: ANN401 - JSON
    (found,) = call(**{"user_id": "u1", **said})
    assert isinstance(found, InboundRecord), found
    return found


def test_what_a_customer_writes() -> None:
    found = one(text="Còn hàng không?", name="Lan", picture="https://cdn/p.jpg", sent_at="1763800000000")
    assert isinstance(found, Message)
    assert (found.key, found.text, found.customer_name, found.customer_picture, found.sent_at_ms) == (
        "fchat:hoa-sen:u1",
        "Còn hàng không?",
        "Lan",
        "https://cdn/p.jpg",
        1763800000000,
    )
    assert found.raw == {
        "user_id": "u1",
        "text": "Còn hàng không?",
        "name": "Lan",
        "picture": "https://cdn/p.jpg",
        "sent_at": "1763800000000",
    }


def test_the_same_in_any_form_and_by_the_names_that_a_bot_has() -> None:
    said = {"messenger_user_id": "u1", "text": "Chào & tạm biệt"}
    caller = FCHAT.at(OTHER)
    forms = [({}, orjson.dumps(said)), (IS_FORM, urlencode(said).encode())]
    for headers, body in forms:
        (found,) = caller.items(caller.open(headers, body))
        assert isinstance(found, Message)
        assert (found.key, found.text) == ("fchat:la-la:u1", "Chào & tạm biệt")


@pytest.mark.parametrize(("author", "expected"), [("bot", "bot"), ("agent", "human")])
def test_what_is_said_by_the_bot_is_the_bots(author: str, expected: str) -> None:
    found = one(text="Dạ còn ạ", **{"from": author})
    assert isinstance(found, Echo)
    assert (found.author, found.author_id) == (expected, "fchat")


def test_pictures_and_buttons() -> None:
    picture = one(image="https://cdn/a.jpg")
    assert isinstance(picture, Message)
    assert picture.attachments == (Attachment(type="image", url="https://cdn/a.jpg"),)
    button = one(payload="GAP_NHAN_VIEN", text="Gặp nhân viên")
    assert isinstance(button, Postback)
    assert (button.text, button.payload) == ("Gặp nhân viên", "GAP_NHAN_VIEN")


def test_a_phone_number_is_told_beside_what_is_said_or_alone() -> None:
    message, told = call(user_id="u1", text="số của em đây", phone="0912345678")
    assert isinstance(message, Message)
    assert isinstance(told, Profile)
    assert (told.user, told.phone) == ("u1", "0912345678")
    alone = one(name="Lan")
    assert isinstance(alone, Profile)
    assert alone.customer_name == "Lan"


def test_a_variable_that_was_not_filled_says_nothing() -> None:
    found = one(text="Chào", phone="{phone}", name="{{last name}}", email="")
    assert isinstance(found, Message)
    assert found.customer_name is None


def test_each_call_is_a_message_of_its_own_unless_it_names_its_id() -> None:
    first, again = one(text="ok"), one(text="ok")
    named, named_again = one(text="ok", message_id="m1"), one(text="ok", message_id="m1")
    assert isinstance(first, Message)
    assert isinstance(again, Message)
    assert first.channel_message_id != again.channel_message_id
    assert named == named_again


@pytest.mark.parametrize(
    ("said", "reason", "detail"),
    [
        ({"text": "x"}, "unreadable", "user: is missing"),
        ({"user_id": "{user_id}", "text": "x"}, "unreadable", "user: is missing"),
        ({"user_id": "u1"}, "unreadable", "the call has neither text, image, payload, phone"),
        ({"user_id": "u1", "text": "x", "from": "cat"}, "unknown_event", "from 'cat' is none of customer"),
        ({"user_id": "u" * 129, "text": "x"}, "unreadable", "user: String should have at most 128"),
        ({"user_id": "u1", "text": ["x"]}, "unreadable", "a message needs text or at least one attachment"),
    ],
)
def test_what_cannot_be_read_says_why(said: dict[str, Any], reason: str, detail: str) -> None:
    (found,) = call(**said)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert detail in found.detail
    assert found.original == said


@pytest.mark.parametrize("token", ["", "x1", TOKEN + "x", TOKEN[:-1], "%00", "\u0000"])
def test_who_does_not_know_the_token_is_refused(token: str) -> None:
    with pytest.raises(WrongTokenError):
        FCHAT.at(token).open({}, b"{}")
    with pytest.raises(WrongTokenError):
        FCHAT.at(token).challenge({})
    with pytest.raises(WrongTokenError):
        Fchat([]).at(token).open({}, b"{}")


@pytest.mark.parametrize(
    ("headers", "body"),
    [({}, b"{"), ({}, b"[1]"), (IS_FORM, b"text=\xff"), (IS_FORM, b"&".join([b"a=1"] * 201))],
)
def test_what_is_no_call_is_malformed(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(MalformedError):
        FCHAT.at(TOKEN).open(headers, body)


VALUES = st.sampled_from(["u1", "bot", "agent", "0912345678", "https://cdn/a.jpg", "{x}"]) | JSON
NAMES = ["user_id", "text", "image", "payload", "from", "name", "picture", "phone", "email", "message_id"]


@SLOW_MACHINE
@given(st.dictionaries(st.sampled_from(NAMES), VALUES) | st.dictionaries(st.text(max_size=5), VALUES))
def test_each_call_gives_records_or_one_refusal(said: dict[str, Any]) -> None:
    caller = FchatCaller(FchatBot.model_validate({"account": "hoa-sen", "path_token": TOKEN}))
    body = orjson.dumps(said)
    items = list(caller.items(caller.open({}, body)))
    assert len(items) in {1, 2}
    for item in items:
        assert not isinstance(item, Skipped)
        check_record(outgoing(Webhook("fchat", body, received_ms=1_700_000_000_000), item), item)
