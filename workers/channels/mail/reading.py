"""A mail that has come, as far as a ticket needs it: who, what about, the words, what is attached.

Whoever knows an address writes what he likes, so nothing is trusted: sizes, depths and character sets are
bounded before anything is decoded.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from itertools import islice
from typing import NamedTuple

from inscriptis import get_text

from schemas.base import ATTACHMENTS_MAX, TEXT_CHARS_MAX
from workers.channels.mail.bounce import Bounce, bounce_of
from workers.channels.mail.frame import own_words

PARTS_MAX = 100
DECODED_BYTES_MAX = 262_144
"""Of the part that is read: as much text as anybody writes, and more than is kept."""
HEADER_CHARS_MAX = 20_000
HEADERS_MAX = 20
"""Of one name."""
SUBJECT_CHARS_MAX = 500
NAME_CHARS_MAX = 200
_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
_SLOW_CHARSETS = frozenset(("idna", "punycode"))
"""They take the square of the time, and nobody writes mails in them."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_ADDRESSED = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_NAMED = ("in-reply-to", "references")
_BULK = frozenset(("bulk", "junk", "list", "auto_reply"))


class UnreadableMailError(ValueError):
    """It is no mail that can be read; the text says why."""


class Attached(NamedTuple):
    """A file of a mail; `data` is empty when it cannot be decoded."""

    name: str
    data: bytes


class Mail(NamedTuple):
    """What a mail says."""

    addressed: str
    """All headers that say to whom it goes, as they came."""
    named: str
    """Those that name the mails before it."""
    id: str
    sender: str
    subject: str
    text: str
    attached: tuple[Attached, ...]
    sent_at_ms: int | None
    automatic: bool
    """Whether a machine has written it: nobody is to be told of it, and nothing may answer it."""
    bounce: Bounce | None = None
    """That a mail of ours could not be delivered."""


def read_mail(raw: bytes) -> Mail:
    """The mail. Raises UnreadableMailError."""
    if len(_BOUNDARY.findall(raw)) > PARTS_MAX:
        raise UnreadableMailError(f"it has more than {PARTS_MAX} parts")
    try:
        return _read(email.message_from_bytes(raw))
    except RecursionError as error:
        raise UnreadableMailError("it is nested too deeply") from error


def _read(message: Message) -> Mail:
    sender = parseaddr(_line(message, "from"))[1]
    return Mail(
        addressed=_joined(message, _ADDRESSED),
        named=_joined(message, _NAMED),
        id=_line(message, "message-id"),
        sender=sender[:320],
        subject=_line(message, "subject")[:SUBJECT_CHARS_MAX],
        text=_text(message)[:TEXT_CHARS_MAX],
        attached=tuple(islice(_attached(message), ATTACHMENTS_MAX)),
        sent_at_ms=_sent_at_ms(message),
        automatic=_is_automatic(message, sender),
        bounce=bounce_of(message),
    )


def _joined(message: Message, names: tuple[str, ...]) -> str:
    found = [_unfolded(value) for name in names for value in message.get_all(name, [])[:HEADERS_MAX]]
    return " ".join(found)[:HEADER_CHARS_MAX]


def _line(message: Message, name: str) -> str:
    """A header in one line, decoded; empty when it is not there."""
    return _unfolded(message.get(name, ""))


def _unfolded(value: object) -> str:
    raw = str(value)[:HEADER_CHARS_MAX]
    try:
        text = str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError):
        text = raw
    return _plain(text)


def _plain(text: str) -> str:
    return _CONTROL.sub(" ", _carriable(text)).strip()


def _carriable(text: str) -> str:
    """Without what no record can carry: NUL, and halves of characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def _text(message: Message) -> str:
    """The words, without what they quote: of a part of plain text, or else of one of HTML."""
    parts = [part for part in message.walk() if not part.is_multipart() and not _is_file(part)]
    for kind, words in (("text/plain", _decoded), ("text/html", _of_html)):
        for part in parts:
            if part.get_content_type() == kind and (text := words(part).strip()):
                return own_words(text)
    return ""


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
    return _carriable(text)


def _of_html(part: Message) -> str:
    try:
        return str(get_text(_decoded(part)))
    except (ValueError, AssertionError):  # lxml's ParserError, a ValueError, of what is empty
        return ""


def _attached(message: Message) -> Iterator[Attached]:
    for part in message.walk():
        if not part.is_multipart() and _is_file(part):
            name = _plain(_name(part) or "") or part.get_content_type()
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


def _sent_at_ms(message: Message) -> int | None:
    try:
        at_ms = round(parsedate_to_datetime(str(message.get("date"))).timestamp() * 1000)
    except (ValueError, OverflowError, IndexError):
        return None
    return at_ms if 0 <= at_ms < 253_402_300_800_000 else None


def _is_automatic(message: Message, sender: str) -> bool:
    """RFC 3834: an answer of a machine, a list's mail, or word of one that could not be delivered."""
    submitted = _line(message, "auto-submitted").partition(";")[0].strip().lower()
    local = sender.partition("@")[0].lower()
    return (
        submitted not in ("", "no")
        or _line(message, "precedence").lower() in _BULK
        or message.get("list-id") is not None
        or message.get("x-autoreply") is not None
        or message.get_content_type() == "multipart/report"
        or _line(message, "return-path") == "<>"
        or local in ("mailer-daemon", "postmaster")
    )
