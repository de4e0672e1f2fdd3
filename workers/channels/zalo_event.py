"""One event of a Zalo Official Account, as a record of inbound.

Source: Zalo Official Account OpenAPI, webhook events. All ids and times are strings, beyond 2^53.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from schemas.ids import conversation_key
from schemas.inbound import Echo, InboundRecord, Message, Other
from schemas.receipts import Arrival, ArrivalState
from workers.channels import fields, zalo_gesture
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
from workers.channels.zalo_attachment import attachment
from workers.channels.zalo_kinds import (
    ARRIVALS,
    FOLLOWS,
    FROM_OA,
    KINDS,
    OA_SEND,
    OTHER_EVENTS,
    REACTIONS,
    SUBMITTED,
    USER_MESSAGES,
    USER_SEND,
)


def normalise(event: dict[str, Any]) -> InboundRecord | Refused:
    """The record of one event."""
    kind = fields.text(event.get("event_name")) or ""
    account, user = ends(kind, event)
    try:
        return _record(account, user, kind, event)
    except (UnreadableError, ValidationError) as error:
        key = conversation_key("zalo", account, user) if account and user else None
        return refusal(error, event, key)


def ends(kind: str, event: dict[str, Any]) -> tuple[str | None, str | None]:
    """The account's id and the customer's. Events without a sender name them in fields of their own."""
    sender, recipient, follower = (
        fields.identifier(mapping(event.get(end)).get("id")) for end in ("sender", "recipient", "follower")
    )
    from_oa = kind in FROM_OA or kind.startswith(OA_SEND)
    account, user = (sender, recipient) if from_oa else (recipient, sender)
    named = (event.get("oa_id"), event.get("oaId"), account)
    people = (follower, event.get("user_id"), mapping(event.get("data")).get("user_id"), user)
    return (
        next((found for found in map(fields.identifier, named) if found), None),
        next((found for found in map(fields.identifier, people) if found), None),
    )


def _record(account: str | None, user: str | None, kind: str, event: dict[str, Any]) -> InboundRecord:
    """Raises UnreadableError or ValidationError."""
    if not kind:
        raise UnreadableError("event_name: is missing")
    if kind not in KINDS:
        raise UnknownEventError(f"event_name {kind[:100]!r} is not documented")
    if account is None or user is None:
        raise UnreadableError(f"{kind}: names no account or no customer")
    who: dict[str, Any] = {"channel": "zalo", "account": account, "user": user, "raw": event}
    who["sent_at_ms"] = fields.milliseconds(event.get("timestamp"))
    if kind in ARRIVALS:
        return _arrival(who, ARRIVALS[kind], event)
    if kind in REACTIONS:
        return zalo_gesture.reaction(who, REACTIONS[kind], event)
    if kind in FOLLOWS:
        return zalo_gesture.followed(who, event, follows=FOLLOWS[kind])
    if kind == SUBMITTED:
        return zalo_gesture.submitted({**who, "interaction": True}, event)
    return Other(**who, event=kind) if kind in OTHER_EVENTS else _utterance(who, kind, event)


def _arrival(who: dict[str, Any], state: ArrivalState, event: dict[str, Any]) -> Arrival:
    """One message is named, or several: the documents show both."""
    said = required_object(event.get("message"), "message")
    several = said.get("msg_ids")
    named = [said.get("msg_id"), *(several if isinstance(several, list) else ())]
    ids = tuple(found for each in named if (found := fields.identifier(each)))
    if not ids:
        raise UnreadableError("message.msg_id: is missing")
    return Arrival(**who, state=state, channel_message_ids=ids)


def _utterance(who: dict[str, Any], kind: str, event: dict[str, Any]) -> Message | Echo:
    said = required_object(event.get("message"), "message")
    what = kind.removeprefix(USER_SEND).removeprefix(OA_SEND)
    who["channel_message_id"] = required_id(said.get("msg_id"), "message.msg_id")
    who["text"] = fields.text(said.get("text"))
    attachments = objects(said.get("attachments"), "message.attachments")
    who["attachments"] = tuple(attachment(each, what) for each in attachments)
    if kind in USER_MESSAGES:
        return Message(**who)
    admin = fields.identifier(mapping(event.get("sender")).get("admin_id"))
    return Echo(**who, author="human" if admin else "bot", author_id=admin)
