"""A message of a channel's past, as the record that inbound takes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationError

from schemas.inbound import Echo, Message


def older(said: dict[str, Any], author: Literal["bot", "human"] | None) -> Message | Echo | None:
    """The record of what was `said`, by its fields; of the page's side when it has an `author`.

    None: it says nothing that can be kept.
    """
    if not said["text"] and not said["attachments"]:
        return None
    try:
        if author is None:
            return Message(**said, history=True)
        return Echo(**said, history=True, author=author)
    except ValidationError:
        return None
