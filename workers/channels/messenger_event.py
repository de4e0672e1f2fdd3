"""One event of Messenger's `messaging[]` or `standby[]`, as a record of inbound or receipts.

Source: Messenger Platform, webhook events reference (Graph API v26.0).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from pydantic import ValidationError

from schemas.base import Json
from schemas.ids import conversation_key
from schemas.inbound import InboundRecord, Other
from schemas.receipts import Arrival, ArrivalState
from workers.channels import fields, messenger_gesture, messenger_message
from workers.channels.channel import (
    Refused,
    UnknownEventError,
    UnreadableError,
    refusal,
    required_object,
)
from workers.channels.fields import mapping

OTHER_EVENTS = (
    "optin",
    "account_linking",
    "messaging_feedback",
    "response_feedback",
    "game_play",
    "order",
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
Reader = Callable[[dict[str, Any], dict[str, Any]], InboundRecord]
_UTTERANCES: dict[str, Reader] = {
    "message": messenger_message.message,
    "postback": messenger_message.postback,
}
_GESTURES: dict[str, Reader] = {
    "reaction": messenger_gesture.reaction,
    "message_edit": messenger_gesture.edit,
    "referral": messenger_gesture.referred,
}
HANDOVER = "pass_thread_control"
KINDS = (*_UTTERANCES, *ARRIVALS, *_GESTURES, HANDOVER, *OTHER_EVENTS)


def normalise(
    page: Json, event: Json, *, standby: bool, ours: Collection[str] = ()
) -> InboundRecord | Refused:
    """The record of one event of a page.

    Args:
        page: its id.
        event: as it came.
        standby: another app owns the thread, so we only look on.
        ours: the ids of our own apps, as far as they are known.
    """
    account = fields.identifier(page)
    user = _customer(account, mapping(event))
    try:
        return _record(account, user, required_object(event, "messaging"), standby, ours)
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


def _record(
    account: str | None, user: str | None, item: dict[str, Any], standby: bool, ours: Collection[str]
) -> InboundRecord:
    """Raises UnreadableError or ValidationError."""
    kind = next((name for name in KINDS if name in item), None)
    if kind is None:
        raise UnknownEventError("the event has none of the documented kinds")
    if account is None or user is None:
        raise UnreadableError(f"{kind}: names no page or no customer")
    who: dict[str, Any] = {"channel": "messenger", "account": account, "user": user, "raw": item}
    who["sent_at_ms"] = fields.milliseconds(item.get("timestamp"))
    if kind in OTHER_EVENTS:
        return Other(**who, event=kind)
    said = required_object(item[kind], kind)
    if kind in ARRIVALS:
        return _arrival(who, ARRIVALS[kind], said)
    if kind == HANDOVER:
        return messenger_gesture.handed_over(who, said, ours)
    if kind in _UTTERANCES:
        return _UTTERANCES[kind]({**who, "standby": standby}, said)
    return _GESTURES[kind](who, said)


def _arrival(who: dict[str, Any], state: ArrivalState, said: dict[str, Any]) -> Arrival:
    """`mids` may be missing, and a reading names none: then the watermark says which."""
    mids = said.get("mids")
    known = [mid for each in mids if (mid := fields.identifier(each))] if isinstance(mids, list) else []
    until_ms = fields.milliseconds(said.get("watermark"))
    if not known and until_ms is None:
        raise UnreadableError("neither mids nor a watermark say which messages are meant")
    return Arrival(**who, state=state, channel_message_ids=tuple(known), until_ms=until_ms)
