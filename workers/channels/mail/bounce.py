"""Word that a mail of ours could not be delivered. Source: RFC 3464; RFC 3463 for the status."""

from __future__ import annotations

import re
from email.message import Message
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # read in a process that has to begin quickly
    from schemas.receipts import DeliveryReason

RECIPIENTS_MAX = 20
HEADER_CHARS_MAX = 2_000
_STATUS = re.compile(r"5\.[0-9]{1,3}\.[0-9]{1,3}")
_OF_ADDRESS = re.compile(r"5\.(1\.\d+|2\.1|4\.4)")
"""There is no such mailbox, or it is closed, or nobody takes mails for its domain."""


class Bounce(NamedTuple):
    """A mail was given up by a mail server on its way."""

    named: str
    """What the report says of the mail's Message-ID, as it came."""
    reason: DeliveryReason


def bounce_of(message: Message) -> Bounce | None:
    """What a report tells of a mail that has failed; none: it is no such report, or it only says `later`."""
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return None
    status = next((said for part in message.walk() if (said := _failed(part))), None)
    if status is None:
        return None
    named = " ".join(str(part.get("message-id", ""))[:HEADER_CHARS_MAX] for part in _returned(message))
    return Bounce(named, "mail_address" if _OF_ADDRESS.fullmatch(status) else "mail_bounced")


def _failed(part: Message) -> str | None:
    """The status of the first recipient whom a mail has not reached for good."""
    blocks = part.get_payload()
    if part.get_content_type() != "message/delivery-status" or not isinstance(blocks, list):
        return None
    for recipient in blocks[: RECIPIENTS_MAX + 1]:  # the first block is of the whole mail
        if isinstance(recipient, Message) and str(recipient.get("action", "")).strip().lower() == "failed":
            found = _STATUS.search(str(recipient.get("status", ""))[:HEADER_CHARS_MAX])
            return found[0] if found else "5.0.0"
    return None


def _returned(message: Message) -> list[Message]:
    """The mail itself, or its headers, as the report returns them."""
    found: list[Message] = []
    for part in message.walk():
        payload = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(payload, list):
            found += [each for each in payload[:1] if isinstance(each, Message)]
        elif part.get_content_type() == "text/rfc822-headers" and isinstance(payload, str):
            found.append(_headers_in(payload))
    return found[:RECIPIENTS_MAX]


def _headers_in(text: str) -> Message:
    found = Message()
    named = re.search(r"(?im)^message-id:[ \t]*(?:\r?\n[ \t]+)?(\S{1,500})", text[: 10 * HEADER_CHARS_MAX])
    if named:
        found["message-id"] = named[1]
    return found
