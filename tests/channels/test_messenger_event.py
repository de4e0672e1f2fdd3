"""Messenger's events as records: the shapes of its documentation, and what is wrong with others."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.inbound import (
    Attachment,
    Echo,
    Edit,
    InboundRecord,
    Message,
    Other,
    Postback,
    Profile,
    Reaction,
    Referral,
)
from schemas.receipts import Arrival
from tests.channels.webhooks import from_user, said
from workers.channels.channel import Refused, Skipped
from workers.channels.messenger import ITEMS_MAX, Messenger, Opened
from workers.channels.messenger_event import normalise
from workers.channels.messenger_message import PAGE_INBOX_APP

Json = Any


def record(event: Json, page: Json = "1") -> InboundRecord:
    found = normalise(page, event, standby=False)
    assert isinstance(found, InboundRecord), found
    return found


def refused(event: Json, page: Json = "1") -> Refused:
    found = normalise(page, event, standby=False)
    assert isinstance(found, Refused), found
    return found


def test_a_text_becomes_a_message_with_what_it_answers_and_which_button_gave_it() -> None:
    event = said(quick_reply={"payload": "YES"}, reply_to={"mid": "m_0", "is_self_reply": False})
    assert record(event) == Message(
        channel="messenger",
        account="1",
        user="U",
        sent_at_ms=1458692752478,
        channel_message_id="m_1",
        text="xin chào",
        payload="YES",
        reply_to="m_0",
        raw=event,
    )


@pytest.mark.parametrize(
    ("reply_to", "quoted"),
    [
        ({"mid": 7}, "7"),
        ({"mid": "m" * 600}, "m" * 512),
        ({"mid": ["m"]}, None),
        ({"story": {}}, None),
        ("m", None),
    ],
)
def test_a_quote_that_is_none_costs_no_message(reply_to: Json, quoted: str | None) -> None:
    found = record(said(reply_to=reply_to))
    assert isinstance(found, Message)
    assert found.reply_to == quoted


def test_nul_is_replaced_in_text_and_stays_in_raw() -> None:
    found = record(said(text="a\0b"))
    assert isinstance(found, Message)
    assert found.text == "a\ufffdb"
    assert found.raw["message"]["text"] == "a\0b"


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        (
            {"type": "image", "payload": {"url": "https://cdn/x.png"}},
            {"type": "image", "url": "https://cdn/x.png"},
        ),
        (
            {"type": "image", "payload": {"url": "https://cdn/x.png", "sticker_id": 1}},
            {"type": "sticker", "url": "https://cdn/x.png"},
        ),
        (
            {"type": "sticker", "payload": {"url": "https://cdn/s", "sticker_id": 369239263222822}},
            {"type": "sticker", "url": "https://cdn/s"},
        ),
        (
            {"type": "fallback", "title": "A link", "url": "https://x"},
            {"type": "fallback", "name": "A link", "url": "https://x"},
        ),
        ({"type": "fallback", "payload": None}, {"type": "fallback"}),
        (
            {"type": "location", "payload": {"coordinates": {"lat": 10.76, "long": 106}}},
            {"type": "location", "latitude": 10.76, "longitude": 106.0},
        ),
        ({"type": "file", "payload": {"url": "x" * 5_000}}, {"type": "file"}),
        ({"type": "file", "payload": {"url": "https://x/\n"}}, {"type": "file"}),
        (
            {"type": "file", "payload": {"title": "a\nb" + "c" * 300}},
            {"type": "file", "name": "a b" + "c" * 197},
        ),
        ({"payload": []}, {"type": "unknown"}),
    ],
)
def test_each_kind_of_attachment_keeps_what_the_channel_says_of_it(
    attachment: Json, expected: dict[str, Any]
) -> None:
    found = record(said(text=None, attachments=[attachment]))
    assert isinstance(found, Message)
    assert found.attachments == (Attachment(**expected),)


def test_a_sticker_in_both_of_its_forms_is_one() -> None:
    payload = {"url": "https://cdn/s", "sticker_id": 369239263222822}
    forms = [{"type": kind, "payload": payload} for kind in ("image", "sticker")]
    found = record(said(text=None, attachments=[*forms, {"type": "image", "payload": {"url": "https://u"}}]))
    assert isinstance(found, Message)
    assert [each.type for each in found.attachments] == ["sticker", "image"]


def test_a_postback_is_stored_under_its_title() -> None:
    postback = {
        "mid": "m_1",
        "title": "Bắt đầu",
        "payload": "START",
        "referral": {"ref": "x", "source": "ADS"},
    }
    found = record(from_user(postback=postback))
    assert isinstance(found, Postback)
    assert (found.text, found.payload, found.channel_message_id) == ("Bắt đầu", "START", "m_1")
    assert found.referral == Referral(source="ADS", ref="x")


def test_what_brought_a_customer_is_told_with_his_message_or_alone() -> None:
    brought = {
        "ref": "r" * 3_000,
        "source": "ADS",
        "ad_id": 6045246247433,
        "ads_context_data": {"ad_title": "Hoa\n20/11"},
    }
    expected = Referral(source="ADS", ref="r" * 2_000, ad_id="6045246247433", title="Hoa 20/11")
    message, alone = record(said(referral=brought)), record(from_user(referral=brought))
    assert isinstance(message, Message)
    assert isinstance(alone, Profile)
    assert message.referral == alone.referral == expected


def test_reactions_are_put_and_taken_back() -> None:
    put = record(from_user(reaction={"mid": "m_2", "action": "react", "emoji": "❤️", "reaction": "love"}))
    named = record(from_user(reaction={"mid": "m_2", "action": "react", "reaction": "wow"}))
    back = record(from_user(reaction={"mid": "m_2", "action": "unreact"}))
    assert [(each.of, each.by, each.emoji) for each in (put, named, back) if isinstance(each, Reaction)] == [
        ("m_2", "customer", "❤️"),
        ("m_2", "customer", "wow"),
        ("m_2", "customer", None),
    ]


@pytest.mark.parametrize(("told", "number"), [(3, 3), ("x", 1), (None, 1), (0, 1)])
def test_an_edit_says_the_text_as_it_is_now(told: Json, number: int) -> None:
    found = record(from_user(message_edit={"mid": "m_1", "text": "xin chào ạ", "num_edit": told}))
    assert isinstance(found, Edit)
    assert (found.of, found.text, found.number) == ("m_1", "xin chào ạ", number)


@pytest.mark.parametrize(
    ("ours", "owner", "is_ours"),
    [((), "77", True), (("77",), 77, True), (("78",), "77", False), ((), PAGE_INBOX_APP, False)],
)
def test_a_thread_that_is_handed_to_us_is_as_if_a_button_was_pressed(
    ours: tuple[str, ...], owner: Json, is_ours: bool
) -> None:
    event = from_user(pass_thread_control={"new_owner_app_id": owner, "metadata": "gặp nhân viên"})
    first, again = (normalise("1", event, standby=False, ours=ours) for _ in range(2))
    assert first == again
    if is_ours:
        assert isinstance(first, Postback)
        assert (first.text, first.payload) == (None, "gặp nhân viên")
    else:
        assert isinstance(first, Other)
        assert first.event == "pass_thread_control"


def test_a_postback_without_mid_gets_the_same_id_on_every_delivery() -> None:
    def mid(payload: str, timestamp: int = 1) -> str:
        event = from_user(postback={"payload": payload}, timestamp=timestamp)
        found = record(dict(reversed(event.items())))
        assert isinstance(found, Postback)
        return found.channel_message_id

    assert mid("A") == mid("A")
    assert len({mid("A"), mid("B"), mid("A", 2)}) == 3


@pytest.mark.parametrize(("sender", "recipient"), [("1", "U"), ("U", "1")])
@pytest.mark.parametrize(
    ("app", "author"),
    [(26390203743090, "human"), ("26390203743090", "human"), (1517776481860111, "bot"), (None, "bot")],
)
def test_an_echo_whichever_way_round(sender: str, recipient: str, app: Json, author: str) -> None:
    message = {"mid": "m_1", "is_echo": True, "app_id": app, "metadata": "x", "text": "Dạ"}
    found = record({"sender": {"id": sender}, "recipient": {"id": recipient}, "message": message})
    assert isinstance(found, Echo)
    assert (found.user, found.author, found.author_id) == ("U", author, None if app is None else str(app))
    assert found.marker == "x"


@pytest.mark.parametrize("timestamp", ["1458692752478", 1458692752478])
def test_times_are_read_from_numbers_and_digits(timestamp: Json) -> None:
    assert record(said() | {"timestamp": timestamp}).sent_at_ms == 1458692752478


@pytest.mark.parametrize("timestamp", [None, -1, 1.5, True, "soon", "", "9" * 16, 10**18, [], "١٢"])
def test_what_is_no_time_is_left_out(timestamp: Json) -> None:
    assert record(said() | {"timestamp": timestamp}).sent_at_ms is None


def test_a_delivery_names_messages_and_a_reading_all_up_to_a_moment() -> None:
    delivered = record(from_user(delivery={"mids": ["m_2", "m_3"], "watermark": 1458668856253}))
    read = record(from_user(read={"watermark": "1458668856253"}))
    assert isinstance(delivered, Arrival)
    assert isinstance(read, Arrival)
    assert (delivered.state, delivered.channel_message_ids) == ("delivered", ("m_2", "m_3"))
    assert (read.state, read.channel_message_ids) == ("read", ())
    assert delivered.until_ms == read.until_ms == 1458668856253


@pytest.mark.parametrize("said_", [{}, {"mids": []}, {"mids": "m_2"}, {"watermark": None}])
def test_an_arrival_of_nothing_is_refused(said_: Json) -> None:
    assert refused(from_user(delivery=said_)).reason == "unreadable"


@pytest.mark.parametrize("kind", ["optin", "take_thread_control", "policy_enforcement"])
def test_other_documented_kinds_are_kept_as_they_came(kind: str) -> None:
    event = from_user() | {kind: {"watermark": 1458668856253}}
    assert record(event) == Other(
        channel="messenger", account="1", user="U", sent_at_ms=1458692752478, event=kind, raw=event
    )


def test_an_undocumented_kind_is_refused() -> None:
    assert refused(from_user(teleport={})).reason == "unknown_event"
    assert refused({}).reason == "unknown_event"


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        (None, "messaging: is not an object"),
        ([], "messaging: is not an object"),
        (said() | {"message": "text"}, "message: is not an object"),
        (from_user(postback=None), "postback: is not an object"),
        (said() | {"sender": {"id": "1"}}, "message: names no page or no customer"),
        (said() | {"sender": {"user_ref": "x"}}, "message: names no page or no customer"),
        (said(mid=""), "message.mid: is missing"),
        (from_user(reaction={"action": "react", "mid": "m_2"}), "reaction: has neither emoji nor reaction"),
        (from_user(reaction={"action": "unreact"}), "reaction.mid: is missing"),
        (from_user(message_edit={"mid": "m_1"}), "message_edit.text: is missing"),
        (said(text=None), "event: Value error, a message needs text or at least one attachment"),
        (said(attachments=["x"]), "message.attachments: is not a list of objects"),
        (said(attachments={}), "message.attachments: is not a list of objects"),
        (
            said(attachments=[{"type": "x" * 41}]),
            "type: String should have at most 40 characters",
        ),
        (said(user="U" * 129), "user: String should have at most 128 characters"),
    ],
)
def test_what_cannot_be_read_says_why(event: Json, detail: str) -> None:
    found = refused(event)
    assert (found.reason, found.detail) == ("unreadable", detail)


def test_a_refusal_never_tells_the_text() -> None:
    found = refused(said(text="bí mật" * 5_000, mid="m\n1"))
    assert "text: String should have at most" in found.detail
    assert "channel_message_id: String should match pattern" in found.detail
    assert "bí mật" not in found.detail


def test_a_page_with_a_colon_cannot_be_told_from_its_customer() -> None:
    assert "account: String should match pattern" in refused(said(), page="1:2").detail


def items(document: Json) -> list[object]:
    return list(Messenger([]).items(Opened(document)))


def test_a_thread_of_another_app_is_only_looked_on() -> None:
    (found,) = items({"object": "page", "entry": [{"id": "1", "standby": [said()]}]})
    assert isinstance(found, Message)
    assert (found.standby, found.raw) == (True, said())


def test_a_refused_event_can_be_sent_again_alone() -> None:
    entry = {"id": "1", "time": 5, "messaging": [said(), said(mid="")], "standby": ["x"], "changes": [1, 2]}
    found = items({"object": "page", "entry": [entry]})
    assert [type(each) for each in found] == [Message, Refused, Refused, Skipped, Skipped]
    refusals = [each for each in found if isinstance(each, Refused)]
    assert refusals[0].original == {
        "object": "page",
        "entry": [{"id": "1", "time": 5, "messaging": [said(mid="")]}],
    }
    assert refusals[1].original == {"object": "page", "entry": [{"id": "1", "time": 5, "standby": ["x"]}]}
    assert refusals[0].key == "messenger:1:U"


@pytest.mark.parametrize("entry", [None, {}, "x", {"id": "1"}, {"id": "1", "messaging": {}}])
def test_an_entry_without_events_is_refused_whole(entry: Json) -> None:
    (found,) = items({"object": "page", "entry": [entry]})
    assert isinstance(found, Refused)
    assert found.original == {"object": "page", "entry": [entry]}


def test_a_webhook_with_too_many_events_is_refused_whole() -> None:
    assert len(items({"entry": [{"id": "1", "messaging": [said()] * ITEMS_MAX}]})) == ITEMS_MAX
    (found,) = items({"entry": [{"id": "1", "messaging": [said()] * ITEMS_MAX}, {}]})
    assert isinstance(found, Refused)
    (found,) = items({"entry": "x"})
    assert isinstance(found, Refused)
