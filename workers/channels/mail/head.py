"""The head of a mail: who, about what, to whom, and what it answers. Of its body nothing is read.

Whoever knows an address writes what he likes: the head has a size, and so has each of its fields, before any
of them is taken apart.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import NamedTuple

HEAD_BYTES_MAX = 131_072
FIELD_CHARS_MAX = 20_000
"""Of a field so much is read."""
PARAMETERS_CHARS_MAX = 4_000
"""Of a field `Content-…`: with more the mail is refused, as its parameters take the square of the time."""
HEADERS_MAX = 20
"""Of one name."""
SENDER_CHARS_MAX = 320
SUBJECT_CHARS_MAX = 500
DATE_CHARS_MAX = 200
_ENDS = re.compile(rb"\r?\n\r?\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_ADDRESSED = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_NAMED = ("in-reply-to", "references")
_BULK = frozenset(("bulk", "junk", "list", "auto_reply"))


class UnreadableMailError(ValueError):
    """It is no mail that can be read; the text says why."""


class Head(NamedTuple):
    """What a mail says of itself."""

    addressed: str
    """All headers that say to whom it goes, as they came."""
    named: str
    """Those that name the mails before it."""
    id: str
    sender: str
    subject: str
    sent_at_ms: int | None
    automatic: bool
    """Whether a machine has written it: nobody is to be told of it, and nothing may answer it."""
    report: bool
    """Whether it tells what has become of another mail."""


class Bounded(Compat32):
    """How a mail is taken apart: as Python does, but for fields that would take long."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Raises UnreadableMailError."""
        name, value = super().header_source_parse(sourcelines)
        if name.lower().startswith("content-") and len(value) > PARAMETERS_CHARS_MAX:
            raise UnreadableMailError(f"{name[:40]} has more than {PARAMETERS_CHARS_MAX} characters")
        return name, value


BOUNDED = Bounded()


def read_head(raw: bytes) -> Head:
    """The head of a mail. Raises UnreadableMailError."""
    end = _ENDS.search(raw, 0, HEAD_BYTES_MAX)
    if end is None and len(raw) > HEAD_BYTES_MAX:
        raise UnreadableMailError(f"its head has more than {HEAD_BYTES_MAX} bytes")
    try:
        return _read(BytesHeaderParser(policy=BOUNDED).parsebytes(raw[: end.start()] if end else raw))
    except RecursionError as error:
        raise UnreadableMailError("an address is nested too deeply") from error


def plain(text: str) -> str:
    """In one line, and without what no record can carry."""
    return _CONTROL.sub(" ", carriable(text)).strip()


def carriable(text: str) -> str:
    """Without what no record can carry: NUL, and halves of characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def _read(message: Message) -> Head:
    sender = parseaddr(_line(message, "from"))[1]
    return Head(
        addressed=_joined(message, _ADDRESSED),
        named=_joined(message, _NAMED),
        id=_line(message, "message-id"),
        sender=sender[:SENDER_CHARS_MAX],
        subject=_line(message, "subject")[:SUBJECT_CHARS_MAX],
        sent_at_ms=_sent_at_ms(message),
        automatic=_is_automatic(message, sender),
        report=_is_report(message),
    )


def _joined(message: Message, names: tuple[str, ...]) -> str:
    found = [_unfolded(value) for name in names for value in message.get_all(name, [])[:HEADERS_MAX]]
    return " ".join(found)[:FIELD_CHARS_MAX]


def _line(message: Message, name: str) -> str:
    """A header in one line, decoded; empty when it is not there."""
    return _unfolded(message.get(name, ""))


def _unfolded(value: object) -> str:
    raw = str(value)[:FIELD_CHARS_MAX]
    try:
        text = str(make_header(decode_header(raw)))
    except (MessageError, LookupError, ValueError):
        text = raw
    return plain(text)


def _sent_at_ms(message: Message) -> int | None:
    try:
        written = parsedate_to_datetime(str(message.get("date"))[:DATE_CHARS_MAX])
        at_ms = round(written.timestamp() * 1000)
    except (ValueError, OverflowError, IndexError):
        return None
    return at_ms if 0 <= at_ms < 253_402_300_800_000 else None


def _is_report(message: Message) -> bool:
    return message.get_content_type() == "multipart/report"


def _is_automatic(message: Message, sender: str) -> bool:
    """RFC 3834: an answer of a machine, a list's mail, or word of one that could not be delivered."""
    submitted = _line(message, "auto-submitted").partition(";")[0].strip().lower()
    local = sender.partition("@")[0].lower()
    return (
        submitted not in ("", "no")
        or _line(message, "precedence").lower() in _BULK
        or message.get("list-id") is not None
        or message.get("x-autoreply") is not None
        or _is_report(message)
        or _line(message, "return-path") == "<>"
        or local in ("mailer-daemon", "postmaster")
    )
