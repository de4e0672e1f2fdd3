"""The parts in which a message is given to its channel. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.messages import MessageAttachment
from workers.channels.delivery.splitting import length, split

HEAVY = {"audio", "video"}
HEAVY_COST = 30.0
"""Messenger takes 300 messages a second of a page, but ten with sound or film."""


class Part(NamedTuple):
    """What one call gives to the channel: a text or an attachment."""

    number: int
    text: str | None = None
    attachment: MessageAttachment | None = None
    asks: tuple[str, ...] = ()
    """What the customer is asked to share with the text."""

    @property
    def cost(self) -> float:
        """What it counts against the page's rate."""
        return HEAVY_COST if self.attachment is not None and self.attachment.type in HEAVY else 1.0


def parts_of(content: Mapping[str, Any], limit: int) -> list[Part]:
    """The parts of a message, the same whenever they are asked for.

    Args:
        content: `text`, `attachments` and `asks` as in schemas.outbound.Send.
        limit: characters that the channel takes at once.
    """
    text = unicodedata.normalize("NFC", content.get("text") or "")
    attachments = [MessageAttachment.model_validate(each) for each in content.get("attachments") or ()]
    texts = split(text, limit)
    parts = [Part(number, each) for number, each in enumerate(texts)]
    if parts and content.get("asks"):
        parts[-1] = parts[-1]._replace(asks=tuple(content["asks"]))
    return parts + [Part(number, None, each) for number, each in enumerate(attachments, start=len(parts))]


def is_too_long(content: Mapping[str, Any], limit: int) -> bool:
    """Whether the text does not fit into one part."""
    return length(unicodedata.normalize("NFC", content.get("text") or "").strip()) > limit
