"""Asking a customer to share who he is: on each channel by its own means, and what he shares."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.actions import Say
from schemas.envelope import Kind
from schemas.ids import conversation_id
from schemas.inbound import Message, Profile
from tests.delivery.ground import OA, ONE, ground
from tests.intake.chat import Chat
from tests.intake.log import key_of
from workers.channels.delivery.parts import parts_of
from workers.channels.messenger import Messenger, Opened

TEXT = "Anh/chị cho em xin số điện thoại để tiện liên hệ ạ."


def say(**fields: Any) -> Say:  # noqa: ANN401 - of Say
    who = {"actor": "agent:acme/lan", "idempotency_key": "k", "by": "lan"}
    key = "messenger:100:u1"
    return Say(workspace="acme", conversation=conversation_id(key), key=key, **who, **fields)


def test_an_agent_asks_in_words_and_the_question_goes_with_the_last_part() -> None:
    assert say(text=TEXT, asks=("phone", "email")).asks == ("phone", "email")
    image = {"type": "image", "url": "https://cdn.example/a.jpg"}
    for wrong in ({"asks": ("phone",)}, {"text": "a" * 501}, {"text": TEXT, "attachments": (image,)}):
        with pytest.raises(ValidationError):
            say(**{"asks": ("phone",), **wrong})
    parts = parts_of({"text": "một hai ba", "attachments": [image], "asks": ["phone"]}, 8)
    assert [(part.text, part.asks) for part in parts] == [("một hai", ()), ("ba", ("phone",)), (None, ())]


def test_the_transcript_and_the_channel_are_told_what_is_asked() -> None:
    chat = Chat()
    chat.customer()
    chat.held_by("lan")
    chat.act("say", text=TEXT, asks=["phone"])
    assert chat.intake.stored[-1]["params"] == {"asks": ["phone"]}
    assert chat.intake.sent[-1]["asks"] == ["phone"]


@pytest.mark.parametrize(
    ("text", "payload", "expected"),
    [
        ("+84912345678", "+84912345678", {"phone": "+84912345678", "phone_verified": True}),
        ("+84 912 345 678", "+84912345678", {"phone": "+84912345678", "phone_verified": True}),
        ("lan@example.com", "lan@example.com", {"email": "lan@example.com"}),
        ("Có", "YES", None),
        ("Gọi 0912345678", "0912345678", None),
        ("0912345678", None, None),
        ("12", "12", None),
    ],
    ids=["number", "spaced number", "address", "button", "button with a number", "typed", "choice"],
)
def test_what_messenger_s_quick_reply_shares_fills_the_profile(
    text: str, payload: str | None, expected: dict[str, Any] | None
) -> None:
    said: dict[str, Any] = {"mid": "m1", "text": text}
    said |= {} if payload is None else {"quick_reply": {"payload": payload}}
    event = {"sender": {"id": "7"}, "recipient": {"id": "100"}, "timestamp": 1, "message": said}
    found = list(
        Messenger([]).items(Opened({"object": "page", "entry": [{"id": "100", "messaging": [event]}]}))
    )
    assert isinstance(found[0], Message)
    told = [each.model_dump(include=set(expected or ())) for each in found if isinstance(each, Profile)]
    assert told == ([] if expected is None else [expected])


def test_a_number_that_the_channel_vouches_for_is_kept_beside_what_people_have_written() -> None:
    chat = Chat()
    chat.customer("số em là 0912.345.678")
    chat.apply(_shared(chat, "84987654321"))
    changed = [value for what, value in chat.intake.told if what == "customer_changed"]
    assert changed[-1]["profile"] == {"phone": "0987654321"}
    assert changed[-1]["verified_phone"] == "0987654321"
    assert changed[-1]["suggested_phone"] is None


def _shared(chat: Chat, phone: str) -> Any:  # noqa: ANN401 - a record
    value = {"channel": "messenger", "account": "100", "user": "u1", "phone": phone, "phone_verified": True}
    return chat.log.append(Kind("inbound", "profile"), key_of("u1"), value)


@pytest.mark.servers
async def test_each_platform_gets_the_question_in_its_own_form(database: str) -> None:
    async with ground(database) as field:
        said = [
            await field.say(ONE, "an", TEXT, asks=("name", "phone", "email")),
            await field.say(OA, "chi", TEXT, asks=("phone",)),
            await field.say(OA, "chi", TEXT, asks=("email",)),
        ]
        async with field.delivering():
            for message in said:
                await field.until(message, "sent")
        assert [(each.text, each.asks) for each in field.one.said] == [
            (TEXT, ("user_phone_number", "user_email"))
        ]
        assert [(each.text, each.asks) for each in field.oa.said] == [
            (TEXT, ("request_user_info",)),
            (TEXT, ()),
        ]
