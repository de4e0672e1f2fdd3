"""What is attached to a message of Zalo's."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.base import Json
from schemas.inbound import Attachment
from workers.channels import fields
from workers.channels.fields import mapping

CARD = "business_card"
_OTHER_NAMES = {"photo": "image"}


def attachment(value: dict[str, Any], what: str) -> Attachment:
    """One attachment; `what`: the kind of message that it came with. Raises ValidationError."""
    payload = mapping(value.get("payload"))
    if what == CARD:
        return _card(payload)
    place = mapping(payload.get("coordinates"))
    kind = fields.text(value.get("type")) or what
    names = (payload.get("name"), payload.get("title"))
    return Attachment(
        type=_OTHER_NAMES.get(kind, kind),
        url=fields.url(payload.get("url")) or fields.url(payload.get("thumbnail")),
        name=next((found for each in names if (found := fields.name(each))), None),
        latitude=fields.degrees(place.get("latitude")),
        longitude=fields.degrees(place.get("longitude")),
    )


def _card(payload: dict[str, Any]) -> Attachment:
    """A business card comes as a link whose description is JSON: its phone says most."""
    said = mapping(_document(payload.get("description")))
    address = fields.url(payload.get("url")) or fields.url(said.get("qrCodeUrl"))
    return Attachment(type=CARD, url=address, name=fields.name(said.get("phone")))


def _document(text: Json) -> Json:
    try:
        return orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError:
        return None
