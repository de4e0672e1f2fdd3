"""Which file an attachment of a message means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.ids import fetched_file_id

FETCHED_TYPES = frozenset({"image", "gif", "audio", "video", "file"})
"""Of attachments that a channel gives by their address: what is no file (a place, a card, a link) is not
fetched, nor are stickers, whose addresses stay good.
"""


def file_of(message: str, number: int, attachment: Mapping[str, Any]) -> str | None:
    """The file of a message's attachment with this number, from 0; none: it is no file, or none of ours."""
    named = attachment.get("file")
    if named is not None:
        return str(named)
    if attachment["type"] in FETCHED_TYPES and attachment.get("url"):
        return fetched_file_id(message, number)
    return None
