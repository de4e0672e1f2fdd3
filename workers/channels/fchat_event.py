"""One call of an FChat block, as records of inbound: what was said, and what is told of who said it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from config.ingress import FCHAT_ATTRIBUTES
from schemas.ids import conversation_key
from schemas.inbound import Attachment, Echo, InboundRecord, Message, Postback, Profile
from workers.channels import fields
from workers.channels.channel import Item, UnknownEventError, UnreadableError, refusal, required_id

_UNFILLED = re.compile(r"\{\{?[^{}]*\}?\}")
"""A variable of the block that FChat had nothing for."""
_AUTHORS: dict[str, Literal["bot", "human"]] = {"bot": "bot", "agent": "human"}


def items_of(document: Mapping[str, Any]) -> Iterator[Item]:
    """The records of a call that FchatCaller.open has taken apart; its own words stay in `raw`."""
    said = {word: document["said"].get(name) for word, name in _names(document["names"]).items()}
    said = {word: value for word, value in said.items() if not _is_nothing(value)}
    who = {"channel": "fchat", "account": document["account"], "raw": document["said"]}
    user = fields.identifier(said.get("user"))
    key = None if user is None else conversation_key("fchat", document["account"], user)
    try:
        who["user"] = required_id(user, "user")
        who["sent_at_ms"] = fields.milliseconds(said.get("sent_at"))
        yield from list(_records(who, said, document["id"]))
    except (UnreadableError, ValidationError) as error:
        yield refusal(error, document["said"], key)


def _names(others: Mapping[str, str]) -> dict[str, str]:
    return {word: others.get(word, name) for word, name in FCHAT_ATTRIBUTES.items()}


def _is_nothing(value: object) -> bool:
    return value in (None, "") or (isinstance(value, str) and _UNFILLED.fullmatch(value.strip()) is not None)


def _records(who: dict[str, Any], said: Mapping[str, Any], id_: str) -> Iterator[InboundRecord]:
    """Raises UnreadableError or ValidationError."""
    about: dict[str, Any] = {
        "phone": fields.cut(fields.identifier(said.get("phone")), 40),
        "email": _line(said, "email", 254),
    }
    shown: dict[str, Any] = {
        "customer_name": fields.name(said.get("name")),
        "customer_picture": fields.url(said.get("picture")),
    }
    speaks = said.keys() & {"text", "image", "payload"}
    if speaks:
        yield _utterance(who, said, id_, shown)
    if any(about.values()) or (not speaks and any(shown.values())):
        yield Profile(**who, **about, **shown)
    elif not speaks:
        raise UnreadableError("the call has neither text, image, payload, phone, email, name nor picture")


def _utterance(
    who: dict[str, Any], said: Mapping[str, Any], id_: str, shown: dict[str, Any]
) -> Message | Postback | Echo:
    image = fields.url(said.get("image"))
    spoken: dict[str, Any] = {
        **who,
        "channel_message_id": fields.identifier(said.get("message_id")) or f"call-{id_}",
        "text": fields.text(said.get("text")),
        "attachments": (Attachment(type="image", url=image),) if image else (),
    }
    author = str(said.get("from", "customer"))
    if author in _AUTHORS:
        return Echo(**spoken, author=_AUTHORS[author], author_id="fchat")
    if author != "customer":
        raise UnknownEventError(f"from {author[:40]!r} is none of customer, bot, agent")
    if "payload" in said:
        return Postback(**spoken, **shown, payload=_line(said, "payload", 2_000) or "")
    return Message(**spoken, **shown)


def _line(said: Mapping[str, Any], word: str, chars_max: int) -> str | None:
    return fields.cut(said.get(word), chars_max)
