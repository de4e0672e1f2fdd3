"""Every kind of event that the channels document, as they show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple
from uuid import UUID

from schemas.ids import message_id_text
from workers.channels import messenger_event, zalo_kinds
from workers.channels.delivery.marker import marker
from workers.channels.messenger_message import PAGE_INBOX_APP

USER, PAGE, OA, BOT = "7482910385512345", "104857600012345", "579745863508352884", "hoa-sen"
OURS = message_id_text("ours", "1")
"""A message of ours that is on its way in the customer's conversation."""
_IMAGE = {"type": "image", "payload": {"url": "https://cdn.example/a.jpg"}}
_STICKER = {"url": "https://cdn.example/s.png", "sticker_id": 369239263222822}

Place = Literal["messaging", "standby", "changes", "zalo", "fchat", "profile", "history"]


class Sample(NamedTuple):
    """One event. `kinds`: what the channel calls it."""

    name: str
    kinds: tuple[str, ...]
    place: Place
    event: dict[str, Any]
    channel: Literal["messenger", "zalo"] = "messenger"
    """Of what is read from its API; others are known by their place."""

    @property
    def page(self) -> str:
        if self.place in {"profile", "history"}:
            return f"messenger:{PAGE}" if self.channel == "messenger" else f"zalo:{OA}"
        return {"zalo": f"zalo:{OA}", "fchat": f"fchat:{BOT}"}.get(self.place, f"messenger:{PAGE}")


def messenger() -> Iterator[Sample]:
    """Section by section of the Messenger Platform's webhook events."""
    said: dict[str, dict[str, Any]] = {
        "text": {"text": "Còn hàng không ạ?"},
        "text with a phone number": {"text": "gọi em 0912.345.678 nhé"},
        "quick reply": {"text": "Có", "quick_reply": {"payload": "YES"}},
        "picture, sound, film, file": {"attachments": [_IMAGE]},
        "sticker, as a picture (until August 2026)": {
            "attachments": [{"type": "image", "payload": _STICKER}]
        },
        "sticker": {"attachments": [{"type": "sticker", "payload": _STICKER}]},
        "place": {
            "attachments": [{"type": "location", "payload": {"coordinates": {"lat": 10.77, "long": 106.7}}}]
        },
        "text after an advertisement": {"text": "Xin giá", "referral": {"source": "ADS", "ad_id": "60"}},
    }
    for name, fields in said.items():
        yield _messenger(name, "message", {"mid": "m_1", **fields})
    yield _messenger("pressed button", "postback", {"mid": "m_1", "title": "Giá", "payload": "PRICES"})
    yield _messenger("reaction", "reaction", {"mid": "m_0", "action": "react", "emoji": "❤️"})
    yield _messenger("reaction taken back", "reaction", {"mid": "m_marked", "action": "unreact"})
    yield _messenger("edit", "message_edit", {"mid": "m_0", "text": "Còn không ạ?", "num_edit": 1})
    yield _messenger("link or advertisement followed", "referral", {"ref": "hoa", "source": "SHORTLINK"})
    yield _messenger("delivered", "delivery", {"mids": ["m_0"], "watermark": 1458668856253})
    yield _messenger("read", "read", {"watermark": 1458668856253})
    echoes: dict[str, dict[str, Any]] = {
        "echo of our own answer": {"app_id": 1517776481860111, "metadata": marker(UUID(OURS), 0)},
        "echo of a bot, or another app": {"app_id": 1517776481860111, "metadata": "theirs"},
        "echo of somebody in the Page inbox": {"app_id": int(PAGE_INBOX_APP)},
    }
    for name, fields in echoes.items():
        yield _messenger(name, "message", {"mid": "m_2", "is_echo": True, "text": "Dạ còn ạ", **fields})
    handed = {"new_owner_app_id": "77", "metadata": "gặp nhân viên"}
    yield _messenger("thread handed over to us", "pass_thread_control", handed)
    yield _messenger(
        "thread handed over to the Page inbox", "pass_thread_control", {"new_owner_app_id": PAGE_INBOX_APP}
    )
    standby = _messenger("text while another app has the thread", "message", {"mid": "m_1", "text": "Alo"})
    yield standby._replace(kinds=("standby",), place="standby")
    value = {"field": "messages", "value": {"page_id": PAGE}}
    yield Sample("call of the dashboard's test button", ("changes",), "changes", value)
    for kind in messenger_event.OTHER_EVENTS:
        yield _messenger("others", kind, {})


def zalo() -> Iterator[Sample]:
    """Event by event of the Official Account's webhook."""
    for what in ("text", "image", "sticker", "location", "file", "link", "audio", "video", "gif"):
        yield _zalo(what, f"user_send_{what}", {"message": _zalo_message(what)})
    card = {"type": "link", "payload": {"description": '{"phone":"0912345678"}'}}
    yield _zalo(
        "business card", "user_send_business_card", {"message": {"msg_id": "z1", "attachments": [card]}}
    )
    for kind in sorted(zalo_kinds.OA_MESSAGES):
        echo = {"message": _zalo_message(kind.removeprefix(zalo_kinds.OA_SEND))}
        yield _from_oa("echo of a bot, or another app", kind, echo)
    by_hand = _from_oa("echo of somebody in OA Manager", "oa_send_text", {"message": _zalo_message("text")})
    yield by_hand._replace(event={**by_hand.event, "sender": {"id": OA, "admin_id": "77"}})
    yield _from_oa("received", "user_received_message", {"message": {"msg_id": "z0"}})
    yield _from_oa("seen", "user_seen_message", {"message": {"msg_ids": ["z0"]}})
    reacted = {"message": {"msg_id": "z0", "react_icon": "/-heart"}}
    yield _zalo("reaction", "user_reacted_message", reacted)
    yield _from_oa("reaction of the account", "oa_reacted_message", reacted)
    follower = {"oa_id": OA, "follower": {"id": USER}, "source": "oa_profile"}
    yield _zalo("follows the account", "follow", follower)
    yield _zalo("follows it no more", "unfollow", follower)
    info = {"info": {"name": "Trần Thị Lan", "phone": "84912345678"}}
    yield _zalo("form filled in", "user_submit_info", info)
    for kind in sorted(zalo_kinds.OTHER_EVENTS):
        yield (_from_oa if kind.startswith("oa_") else _zalo)("others", kind, {})


def fchat() -> Iterator[Sample]:
    """Calls of a JSON API block, by the attributes that it sends."""
    calls: dict[str, dict[str, str]] = {
        "text": {"text": "Còn hàng không ạ?", "name": "Lan"},
        "image": {"image": "https://cdn.example/a.jpg"},
        "text, payload": {"text": "Gặp nhân viên", "payload": "AGENT"},
        "text, phone": {"text": "Số của em đây", "phone": "0912345678"},
        "phone": {"phone": "0912345678"},
        "text, from = bot": {"text": "Dạ còn ạ", "from": "bot"},
        "text, from = agent": {"text": "Dạ còn ạ", "from": "agent"},
    }
    for name, said in calls.items():
        yield Sample(name, (), "fchat", {"user_id": USER, **said})


def reading() -> Iterator[Sample]:
    """Answers of the channels' APIs, to what is asked of customers and of the time before."""
    user, detail = "GET /{psid}", "GET /v3.0/oa/user/detail"
    person = {"id": USER, "name": "Lan Nguyen", "profile_pic": "https://cdn.example/lan.jpg"}
    yield Sample("Messenger, who a customer is", (user,), "profile", person)
    shown: dict[str, Any] = {"display_name": "Lan Nguyen", "avatar": "https://cdn.example/lan.jpg"}
    shown["user_is_follower"] = True
    details = {"error": 0, "data": shown}
    yield Sample("Zalo, who a customer is", (detail,), "profile", details, "zalo")
    shared = {"name": "Trần Thị Lan", "phone": 84912345678}
    details = {"error": 0, "data": {**shown, "shared_info": shared}}
    yield Sample("Zalo, one who has shared his number", (detail,), "profile", details, "zalo")
    at = "2026-11-20T08:15:00+0000"
    answer: dict[str, Any]
    older: dict[str, dict[str, Any]] = {
        "older text": {"message": "Còn hàng không ạ?", "from": {"id": USER}},
        "older picture": {
            "from": {"id": USER},
            "attachments": {
                "data": [{"mime_type": "image/jpeg", "image_data": {"url": "https://cdn.example/a"}}]
            },
        },
        "older answer of the page": {"message": "Dạ còn ạ", "from": {"id": PAGE}},
    }
    for name, said in older.items():
        answer = {"data": [{"id": "m_1", "created_time": at, **said}]}
        yield Sample(f"Messenger, {name}", ("GET /{thread}/messages",), "history", answer)
    for name, from_id in (("older text", USER), ("older answer of the account", OA)):
        row = {
            "message_id": "z1",
            "time": 1_795_161_300_000,
            "type": "text",
            "message": "Alo",
            "from_id": from_id,
        }
        answer = {"error": 0, "data": [{**row, "to_id": OA if from_id == USER else USER}]}
        kinds = "GET /v2.0/oa/conversation", "GET /v2.0/oa/listrecentchat"
        yield Sample(f"Zalo, {name}", kinds, "history", answer, "zalo")


def _messenger(name: str, kind: str, said: dict[str, Any]) -> Sample:
    ends = {"sender": {"id": USER}, "recipient": {"id": PAGE}}
    if said.get("is_echo"):
        ends = {"sender": {"id": PAGE}, "recipient": {"id": USER}}
    return Sample(name, (kind,), "messaging", {**ends, "timestamp": 1458692752478, kind: said})


def _zalo(name: str, kind: str, fields: dict[str, Any]) -> Sample:
    ends = {"sender": {"id": USER}, "recipient": {"id": OA}, "timestamp": "1543908534740"}
    return Sample(name, (kind,), "zalo", {"app_id": "1", "event_name": kind, **ends, **fields})


def _from_oa(name: str, kind: str, fields: dict[str, Any]) -> Sample:
    return _zalo(name, kind, {"sender": {"id": OA}, "recipient": {"id": USER}, **fields})


def _zalo_message(what: str) -> dict[str, Any]:
    if what == "text":
        return {"msg_id": "z1", "text": "Còn hàng không ạ?"}
    payload: dict[str, Any] = {"url": "https://cdn.example/a"}
    if what == "location":
        payload = {"coordinates": {"latitude": "10.77", "longitude": "106.7"}}
    return {"msg_id": "z1", "attachments": [{"type": what, "payload": payload}]}
