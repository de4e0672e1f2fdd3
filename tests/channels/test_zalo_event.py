"""Zalo's events as records: the shapes of its documentation, and what is wrong with others."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.inbound import Attachment, Echo, InboundRecord, Message, Other, Profile, Reaction, Referral
from schemas.receipts import Arrival
from tests.channels.webhooks import OA, zalo_event
from workers.channels.channel import Refused
from workers.channels.zalo_event import normalise

Json = Any
USER = "246845883529197922"


def record(event: dict[str, Any]) -> InboundRecord:
    found = normalise(event)
    assert isinstance(found, InboundRecord), found
    return found


def refused(event: dict[str, Any]) -> Refused:
    found = normalise(event)
    assert isinstance(found, Refused), found
    return found


def test_a_text_becomes_a_message_without_what_postgres_cannot_keep() -> None:
    event = zalo_event(message={"msg_id": "z1", "text": "xin\0chào"}, user_id_by_app="5521")
    assert record(event) == Message(
        channel="zalo",
        account=OA,
        user=USER,
        sent_at_ms=1543908534740,
        channel_message_id="z1",
        text="xin\ufffdchào",
        raw=event,
    )


@pytest.mark.parametrize(
    ("what", "attachment", "expected"),
    [
        (
            "image",
            {"type": "photo", "payload": {"thumbnail": "https://t", "url": "https://u"}},
            {"type": "image", "url": "https://u"},
        ),
        ("image", {"payload": {"thumbnail": "https://t"}}, {"type": "image", "url": "https://t"}),
        (
            "sticker",
            {"type": "sticker", "payload": {"url": "https://s", "id": "1"}},
            {"type": "sticker", "url": "https://s"},
        ),
        (
            "location",
            {
                "type": "location",
                "payload": {"coordinates": {"latitude": "10.7642473", "longitude": "106.6564314"}},
            },
            {"type": "location", "latitude": 10.7642473, "longitude": 106.6564314},
        ),
        (
            "location",
            {"payload": {"coordinates": {"latitude": "north", "longitude": "inf"}}},
            {"type": "location"},
        ),
        (
            "file",
            {
                "type": "file",
                "payload": {"url": "https://f", "size": "233947", "name": "bảng giá.docx", "type": "docx"},
            },
            {"type": "file", "url": "https://f", "name": "bảng giá.docx"},
        ),
        (
            "link",
            {"type": "link", "payload": {"url": "https://l", "title": "Bảng giá", "description": "d"}},
            {"type": "link", "url": "https://l", "name": "Bảng giá"},
        ),
        (
            "audio",
            {"type": "audio", "payload": {"url": "https://a.amr"}},
            {"type": "audio", "url": "https://a.amr"},
        ),
        ("video", {"type": "video", "payload": {"url": "https://v"}}, {"type": "video", "url": "https://v"}),
        ("gif", {"type": "gif", "payload": {"url": "https://g"}}, {"type": "gif", "url": "https://g"}),
        (
            "business_card",
            {
                "type": "link",
                "payload": {
                    "description": '{"phone":"0912345678","qrCodeUrl":"https://qr"}',
                    "thumbnail": "t",
                },
            },
            {"type": "business_card", "url": "https://qr", "name": "0912345678"},
        ),
        (
            "business_card",
            {"type": "link", "payload": {"url": "https://c", "description": "{"}},
            {"type": "business_card", "url": "https://c"},
        ),
        ("business_card", {}, {"type": "business_card"}),
    ],
)
def test_each_kind_of_attachment_keeps_what_the_channel_says_of_it(
    what: str, attachment: Json, expected: dict[str, Any]
) -> None:
    found = record(zalo_event(f"user_send_{what}", message={"msg_id": "z1", "attachments": [attachment]}))
    assert isinstance(found, Message)
    assert found.attachments == (Attachment(**expected),)


@pytest.mark.parametrize(("sender", "author"), [({"id": OA}, "bot"), ({"id": OA, "admin_id": "77"}, "human")])
def test_what_the_oa_sends_is_an_echo(sender: Json, author: str) -> None:
    event = zalo_event("oa_send_text", message={"msg_id": "z2", "text": "Dạ"})
    found = record(event | {"sender": sender, "recipient": {"id": USER}})
    assert isinstance(found, Echo)
    assert (found.account, found.user, found.author, found.author_id) == (
        OA,
        USER,
        author,
        sender.get("admin_id"),
    )


@pytest.mark.parametrize(
    ("event_name", "message", "ids"),
    [
        ("user_received_message", {"msg_id": "z1"}, ("z1",)),
        ("user_seen_message", {"msg_id": "z1"}, ("z1",)),
        ("user_seen_message", {"msg_ids": ["z1", "z2"]}, ("z1", "z2")),
    ],
)
def test_what_has_arrived_is_named(event_name: str, message: Json, ids: tuple[str, ...]) -> None:
    found = record(
        {"event_name": event_name, "sender": {"id": OA}, "recipient": {"id": USER}, "message": message}
    )
    assert isinstance(found, Arrival)
    assert (found.account, found.user, found.channel_message_ids) == (OA, USER, ids)
    assert found.state == ("read" if event_name == "user_seen_message" else "delivered")


@pytest.mark.parametrize(
    ("event", "account", "user"),
    [
        ({"event_name": "user_click_chatnow", "oa_id": OA, "user_id": USER}, OA, USER),
        (
            {"event_name": "widget_interaction_accepted", "oa_id": OA, "data": {"user_id": USER}},
            OA,
            USER,
        ),
        (
            {
                "event_name": "user_send_group_text",
                "oa_id": OA,
                "sender": {"id": USER},
                "recipient": {"id": "g"},
            },
            OA,
            USER,
        ),
    ],
)
def test_other_documented_kinds_are_kept_as_they_came(event: Json, account: str, user: str) -> None:
    found = record(event)
    assert isinstance(found, Other)
    assert (found.account, found.user, found.event, found.raw) == (account, user, event["event_name"], event)


def test_who_follows_the_account_is_told_with_where_he_came_from() -> None:
    follow = {"event_name": "follow", "oa_id": OA, "follower": {"id": USER}, "source": "oa_profile"}
    found = record(follow)
    assert isinstance(found, Profile)
    assert (found.account, found.user, found.follows, found.interaction) == (OA, USER, True, True)
    assert found.referral == Referral(source="oa_profile")
    gone = record({**follow, "event_name": "unfollow", "oa_id": int(OA), "follower": {"id": int(USER)}})
    assert isinstance(gone, Profile)
    assert (gone.account, gone.user, gone.follows, gone.referral) == (OA, USER, False, None)
    assert not gone.interaction


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (
            {
                "name": "Trần Thị Lan",
                "phone": "84912345678",
                "user_dob": "17/05/1994",
                "gender": "Nữ",
                "full_address": {"address": "5 Lê Lợi", "ward": "Bến Nghé", "city": "TP. HCM"},
            },
            ("Trần Thị Lan", "84912345678", "1994-05-17", "female", "5 Lê Lợi, Bến Nghé, TP. HCM"),
        ),
        (
            {"name": "An", "phone": 84912345678, "address": "5 Lê Lợi", "district": "Quận 1"},
            ("An", "84912345678", None, None, "5 Lê Lợi, Quận 1"),
        ),
        (
            {"name": "", "user_dob": "31/02/1994", "gender": "x", "phone": []},
            (None, None, None, None, None),
        ),
    ],
)
def test_what_a_customer_fills_in_tells_who_he_is(info: Json, expected: tuple[str | None, ...]) -> None:
    found = record(zalo_event("user_submit_info", info=info))
    assert isinstance(found, Profile)
    assert (found.name, found.phone, found.birthday, found.gender, found.address) == expected
    assert found.interaction


@pytest.mark.parametrize(
    ("name", "icon", "by", "emoji"),
    [
        ("user_reacted_message", "/-heart", "customer", "❤️"),
        ("user_reacted_message", "/-remove", "customer", None),
        ("user_reacted_message", "/-rose", "customer", "/-rose"),
        ("oa_reacted_message", "/-strong", "page", "👍"),
    ],
)
def test_reactions(name: str, icon: str, by: str, emoji: str | None) -> None:
    event = zalo_event(name, message={"msg_id": "z1", "react_icon": icon})
    if by == "page":
        event |= {"sender": {"id": OA}, "recipient": {"id": USER}}
    found = record(event)
    assert isinstance(found, Reaction)
    assert (found.user, found.of, found.by, found.emoji) == (USER, "z1", by, emoji)


@pytest.mark.parametrize("name", ["user_teleport", "USER_SEND_TEXT", "user_send_", "x" * 10_000])
def test_an_undocumented_kind_is_refused(name: str) -> None:
    found = refused(zalo_event(name))
    assert (found.reason, found.key) == ("unknown_event", f"zalo:{OA}:{USER}")
    assert len(found.detail) < 200


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ({}, "event_name: is missing"),
        (zalo_event() | {"event_name": 7}, "event_name: is missing"),
        (zalo_event(), "message: is not an object"),
        (zalo_event("user_submit_info"), "info: is not an object"),
        (zalo_event("user_reacted_message", message={"msg_id": "z1"}), "message.react_icon: is missing"),
        (zalo_event(message={"text": "x"}), "message.msg_id: is missing"),
        (
            zalo_event(message={"msg_id": "z1"}),
            "event: Value error, a message needs text or at least one attachment",
        ),
        (zalo_event(sender=None), "user_send_text: names no account or no customer"),
        (
            {"event_name": "change_oa_daily_quota", "oaId": OA},
            "change_oa_daily_quota: names no account or no customer",
        ),
        (
            zalo_event(message={"msg_id": "z1", "text": "x" * 20_001}),
            "text: String should have at most 20000 characters",
        ),
    ],
)
def test_what_cannot_be_read_says_why(event: Json, detail: str) -> None:
    found = refused(event)
    assert (found.reason, found.detail, found.original) == ("unreadable", detail, event)
