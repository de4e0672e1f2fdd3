"""What happens on Messenger beside words: reactions, edits, links that are followed, threads handed over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from schemas.inbound import Edit, Other, Postback, Profile, Reaction
from workers.channels import fields
from workers.channels.channel import UnreadableError, required_id
from workers.channels.messenger_message import PAGE_INBOX_APP, PAYLOAD_CHARS_MAX, referral


def reaction(who: dict[str, Any], said: dict[str, Any]) -> Reaction:
    """A reaction, put or taken back. Raises UnreadableError or ValidationError."""
    of = required_id(said.get("mid"), "reaction.mid")
    if said.get("action") == "unreact":
        return Reaction(**who, of=of)
    # Clients that know no sign for it send its name alone.
    emoji = fields.cut(said.get("emoji"), 64) or fields.cut(said.get("reaction"), 64)
    if not emoji:
        raise UnreadableError("reaction: has neither emoji nor reaction")
    return Reaction(**who, of=of, emoji=emoji)


def edit(who: dict[str, Any], said: dict[str, Any]) -> Edit:
    """A message written anew. Raises UnreadableError or ValidationError."""
    text, number = fields.text(said.get("text")), said.get("num_edit")
    if text is None:
        raise UnreadableError("message_edit.text: is missing")
    of = required_id(said.get("mid"), "message_edit.mid")
    return Edit(**who, of=of, text=text, number=number if isinstance(number, int) and number > 0 else 1)


def referred(who: dict[str, Any], said: dict[str, Any]) -> Profile:
    """A customer whom we know has followed a link or an advertisement to the page."""
    return Profile(**who, referral=referral(said), interaction=True)


def handed_over(who: dict[str, Any], said: dict[str, Any], ours: Collection[str]) -> Postback | Other:
    """A bot has given the thread to somebody: to us, which is as if the customer had pressed its button."""
    owner = fields.identifier(said.get("new_owner_app_id"))
    if owner == PAGE_INBOX_APP or (ours and owner not in ours):
        return Other(**who, event="pass_thread_control")
    payload = fields.cut(said.get("metadata"), PAYLOAD_CHARS_MAX) or ""
    return Postback(**who, channel_message_id=fields.digest_id("handover", who["raw"]), payload=payload)
