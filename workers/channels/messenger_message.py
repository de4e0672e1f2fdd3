"""What is said on Messenger: messages, pressed buttons, and the page's own words as they are shown to us."""

from __future__ import annotations

import re
from typing import Any

from schemas.base import CHANNEL_MESSAGE_ID_CHARS_MAX, Json
from schemas.inbound import Attachment, Echo, Message, Postback, Profile, Referral
from workers.channels import fields
from workers.channels.channel import objects, required_id
from workers.channels.fields import mapping

PAGE_INBOX_APP = "26390203743090"
"""The app id in the echo of an answer that a person wrote in Meta's own inbox."""
PAYLOAD_CHARS_MAX = 2_000
_NUMBER = re.compile(r"\+?[0-9]{8,15}")
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s.]{2,}")


def message(who: dict[str, Any], said: dict[str, Any]) -> Message | Echo:
    """A customer's message, or an echo. Raises UnreadableError or ValidationError."""
    who["channel_message_id"] = required_id(said.get("mid"), "message.mid")
    who["text"] = fields.text(said.get("text"))
    who["attachments"] = _attachments(said.get("attachments"))
    if said.get("is_echo") is True:
        return Echo(**who, **_author(said))
    payload = fields.cut(mapping(said.get("quick_reply")).get("payload"), PAYLOAD_CHARS_MAX)
    quoted = fields.identifier(mapping(said.get("reply_to")).get("mid"))
    who["reply_to"] = fields.cut(quoted, CHANNEL_MESSAGE_ID_CHARS_MAX)
    return Message(**who, payload=payload, referral=referral(said.get("referral")))


def shared(said: Message) -> Profile | None:
    """What a customer has shared by a quick reply for his number or his e-mail: it says just that."""
    value = (said.payload or "").replace(" ", "")
    if not value or value != (said.text or "").replace(" ", ""):
        return None
    found: dict[str, Any] = {}
    if _NUMBER.fullmatch(value):
        found = {"phone": value, "phone_verified": True}
    elif _ADDRESS.fullmatch(value):
        found = {"email": value}
    who = said.model_dump(include={"channel", "account", "user", "sent_at_ms", "raw"})
    return Profile(**who, **found) if found else None


def postback(who: dict[str, Any], said: dict[str, Any]) -> Postback:
    """A pressed button. Raises UnreadableError or ValidationError."""
    # Old versions send no mid; the same press, delivered twice, must give the same id.
    mid = fields.identifier(said.get("mid")) or fields.digest_id("postback", who["raw"])
    title, payload = fields.text(said.get("title")), fields.text(said.get("payload"))
    brought = referral(said.get("referral"))
    return Postback(**who, channel_message_id=mid, text=title, payload=payload or "", referral=brought)


def referral(value: Json) -> Referral | None:
    """What brought a customer; none when it says nothing."""
    said = mapping(value)
    found = {
        "source": fields.cut(said.get("source"), 100),
        "ref": fields.cut(said.get("ref"), 2_000),
        "ad_id": fields.cut(fields.identifier(said.get("ad_id")), 128),
        "title": fields.name(mapping(said.get("ads_context_data")).get("ad_title")),
    }
    return Referral(**found) if any(found.values()) else None


def _author(said: dict[str, Any]) -> dict[str, Any]:
    app = fields.identifier(said.get("app_id"))
    author = "human" if app == PAGE_INBOX_APP else "bot"
    return {"author": author, "author_id": app, "marker": fields.text(said.get("metadata"))}


def _attachments(value: Json) -> tuple[Attachment, ...]:
    """A sticker may come as a picture, as a sticker, or as both: it is one."""
    found: dict[str | int, Attachment] = {}
    for number, each in enumerate(objects(value, "message.attachments")):
        payload = mapping(each.get("payload"))
        sticker = fields.identifier(payload.get("sticker_id"))
        found.setdefault(sticker or number, _attachment(each, payload, sticker))
    return tuple(found.values())


def _attachment(value: dict[str, Any], payload: dict[str, Any], sticker: str | None) -> Attachment:
    place = mapping(payload.get("coordinates"))
    return Attachment(
        type="sticker" if sticker else fields.text(value.get("type")) or "unknown",
        url=fields.url(payload.get("url")) or fields.url(value.get("url")),
        name=fields.name(payload.get("title")) or fields.name(value.get("title")),
        latitude=fields.degrees(place.get("lat")),
        longitude=fields.degrees(place.get("long")),
    )
