"""What a mail holds, as far as a ticket needs it: the words, what is attached, and of which mail it tells.

A mail without a ticket is looked at where it begins only (`beginning`). All of one (`read_content`) is read
in a process that has limits: see workers.channels.mail.opening.
"""

from __future__ import annotations

import email
from collections.abc import Iterator
from email.message import Message
from email.policy import Policy
from itertools import count
from typing import NamedTuple

from workers.channels.mail.bounce import Bounce, bounce_of
from workers.channels.mail.frame import own_words
from workers.channels.mail.head import BOUNDED, UnreadableMailError, carriable, plain
from workers.channels.mail.html import words_of

PARTS_MAX = 100
BEGINNING_BYTES = 65_536
BEGINNING_PARTS_MAX = 10
DECODED_BYTES_MAX = 262_144
"""Of the part that is read: as much text as anybody writes, and more than is kept."""
NAME_CHARS_MAX = 200
_SLOW_CHARSETS = frozenset(("idna", "punycode"))
"""They take the square of the time, and nobody writes mails in them."""


class Attached(NamedTuple):
    """A file of a mail; `data` is empty when it cannot be decoded."""

    name: str
    data: bytes


class Content(NamedTuple):
    """What stands in a mail."""

    text: str
    attached: tuple[Attached, ...]
    bounce: Bounce | None
    """That a mail of ours could not be delivered."""


def read_content(raw: bytes) -> Content:
    """All of a mail. Raises UnreadableMailError."""
    try:
        message = _parsed(raw, PARTS_MAX)
        return Content(_text(message), tuple(_attached(message)), _bounce(message))
    except RecursionError as error:
        raise UnreadableMailError("it is nested too deeply") from error


def beginning(raw: bytes) -> str:
    """The plain text with which a mail begins, of its first bytes; empty when there is none to be read."""
    try:
        return own_words(_words(_parsed(raw[:BEGINNING_BYTES], BEGINNING_PARTS_MAX), "text/plain"))
    except (UnreadableMailError, RecursionError):
        return ""


def _parsed(raw: bytes, parts_max: int) -> Message:
    made = count(1)

    def part(policy: Policy = BOUNDED) -> Message:
        if next(made) > parts_max + 1:  # the parser makes one more, to try it
            raise UnreadableMailError(f"it has more than {parts_max} parts")
        return Message(policy=policy)

    return email.message_from_bytes(raw, part, policy=BOUNDED)


def _text(message: Message) -> str:
    """The words, without what they quote: of a part of plain text, or else of one of HTML."""
    return own_words(_words(message, "text/plain") or _words(message, "text/html"))


def _words(message: Message, kind: str) -> str:
    """Those of the first part of this kind that has any."""
    for part in message.walk():
        if part.get_content_type() == kind and not part.is_multipart() and not _is_file(part):
            text = _decoded(part)
            if words := (words_of(text) if kind == "text/html" else text).strip():
                return words
    return ""


def _bounce(message: Message) -> Bounce | None:
    bounce = bounce_of(message)
    return None if bounce is None else bounce._replace(named=carriable(bounce.named))


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    raw = content[:DECODED_BYTES_MAX] if isinstance(content, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    if charset in _SLOW_CHARSETS:
        charset = "utf-8"
    try:
        text = raw.decode(charset, "replace")
    except (LookupError, ValueError):
        text = raw.decode("utf-8", "replace")
    return carriable(text)


def _attached(message: Message) -> Iterator[Attached]:
    for part in message.walk():
        if not part.is_multipart() and _is_file(part):
            name = plain(_name(part) or "") or plain(part.get_content_type())
            data = part.get_payload(decode=True)
            yield Attached(name[:NAME_CHARS_MAX], data if isinstance(data, bytes) else b"")


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or _name(part) is not None


def _name(part: Message) -> str | None:
    """None: it has none, or one that cannot be read."""
    try:
        return part.get_filename()
    except ValueError:
        return None
