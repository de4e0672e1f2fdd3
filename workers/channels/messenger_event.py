"""One event of Messenger's `messaging[]`, as a record of inbound.

Source: Messenger Platform, webhook events reference (Graph API v26.0).
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import ValidationError

from schemas.base import Json
from schemas.ids import conversation_key
from schemas.inbound import Attachment, Echo, InboundRecord, Message, Other, Postback
from schemas.receipts import Arrival, ArrivalState
from workers.channels import fields
from workers.channels.channel import (
    Refused,
    UnknownEventError,
    UnreadableError,
    objects,
    refusal,
    required_id,
    required_object,
)
from workers.channels.fields import mapping

PAGE_INBOX_APP = "26390203743090"
"""The app id in the echo of an answer that a person wrote in Meta's own inbox."""

OTHER_EVENTS = (
    "reaction",
    "message_edit",
    "optin",
    "referral",
    "account_linking",
    "messaging_feedback",
    "response_feedback",
    "game_play",
    "order",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
    "policy_enforcement",
    "policy-enforcement",
    "messaging_customer_information",
    "messaging_in_thread_lead_form_submit",
)
"""Documented kinds that nothing reads yet, by the field that carries them."""

ARRIVALS: dict[str, ArrivalState] = {"delivery": "delivered", "read": "read"}
KINDS = ("message", "postback", *ARRIVALS, *OTHER_EVENTS)


def normalise(page: Json, event: Json, *, standby: bool) -> InboundRecord | Refused:
    """The record of one event of a page. `standby`: another app owns the thread, so we only look on."""
    account = fields.identifier(page)
    user = _customer(account, mapping(event))
    try:
        return _record(account, user, required_object(event, "messaging"), standby)
    except (UnreadableError, ValidationError) as error:
        key = conversation_key("messenger", account, user) if account and user else None
        return refusal(error, event, key)


def _customer(account: str | None, item: dict[str, Any]) -> str | None:
    """The id that is not the page's: of an echo the documents show the two either way round."""
    sender, recipient = (
        fields.identifier(mapping(item.get(end)).get("id")) for end in ("sender", "recipient")
    )
    ends = (recipient, sender) if _is_echo(item) else (sender, recipient)
    return next((end for end in ends if end is not None and end != account), None)


def _is_echo(item: dict[str, Any]) -> bool:
    return mapping(item.get("message")).get("is_echo") is True


def _record(account: str | None, user: str | None, item: dict[str, Any], standby: bool) -> InboundRecord:
    """Raises UnreadableError or ValidationError."""
    kind = next((name for name in KINDS if name in item), None)
    if kind is None:
        raise UnknownEventError("the event has none of the documented kinds")
    if account is None or user is None:
        raise UnreadableError(f"{kind}: names no page or no customer")
    who: dict[str, Any] = {"channel": "messenger", "account": account, "user": user, "raw": item}
    who["sent_at_ms"] = fields.milliseconds(item.get("timestamp"))
    if standby or kind in OTHER_EVENTS:
        return Other(**who, event="standby" if standby else kind)
    said = required_object(item[kind], kind)
    if kind in ARRIVALS:
        return _arrival(who, ARRIVALS[kind], said)
    return _postback(who, said) if kind == "postback" else _message(who, said)


def _message(who: dict[str, Any], said: dict[str, Any]) -> Message | Echo:
    who["channel_message_id"] = required_id(said.get("mid"), "message.mid")
    who["text"] = fields.text(said.get("text"))
    attachments = objects(said.get("attachments"), "message.attachments")
    who["attachments"] = tuple(_attachment(each) for each in attachments)
    return Echo(**who, **_author(said)) if said.get("is_echo") is True else Message(**who)


def _postback(who: dict[str, Any], said: dict[str, Any]) -> Postback:
    mid = fields.identifier(said.get("mid"))
    if mid is None:
        # Old versions send none; the same press, delivered twice, must give the same id.
        event = orjson.dumps(who["raw"], option=orjson.OPT_SORT_KEYS)
        mid = "postback-" + hashlib.sha256(event).hexdigest()
    title, payload = fields.text(said.get("title")), fields.text(said.get("payload"))
    return Postback(**who, channel_message_id=mid, text=title, payload=payload or "")


def _arrival(who: dict[str, Any], state: ArrivalState, said: dict[str, Any]) -> Arrival:
    """`mids` may be missing, and a reading names none: then the watermark says which."""
    mids = said.get("mids")
    known = [mid for each in mids if (mid := fields.identifier(each))] if isinstance(mids, list) else []
    until_ms = fields.milliseconds(said.get("watermark"))
    if not known and until_ms is None:
        raise UnreadableError("neither mids nor a watermark say which messages are meant")
    return Arrival(**who, state=state, channel_message_ids=tuple(known), until_ms=until_ms)


def _author(said: dict[str, Any]) -> dict[str, Any]:
    app = fields.identifier(said.get("app_id"))
    author = "human" if app == PAGE_INBOX_APP else "bot"
    return {"author": author, "author_id": app, "marker": fields.text(said.get("metadata"))}


def _attachment(value: dict[str, Any]) -> Attachment:
    payload = mapping(value.get("payload"))
    place = mapping(payload.get("coordinates"))
    return Attachment(
        type=fields.text(value.get("type")) or "unknown",
        url=fields.url(payload.get("url")) or fields.url(value.get("url")),
        name=fields.name(payload.get("title")) or fields.name(value.get("title")),
        latitude=fields.degrees(place.get("lat")),
        longitude=fields.degrees(place.get("long")),
    )
