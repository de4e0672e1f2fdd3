"""A mail on its way out, in pieces: of its files no more than a piece is in memory at once. RFC 2046, 5.1."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import NamedTuple

LINE_BYTES = 57
"""Of a file, in a line of 76 letters."""
PIECE_BYTES = LINE_BYTES * 4_096
WHOLE = SMTP.clone(max_line_length=900)
"""In shorter lines a Message-ID, which is long, would become encoded words, and nobody would know it."""


class Enclosed(NamedTuple):
    """A file that goes within a mail."""

    name: str
    media_type: str
    size_bytes: int
    path: Path
    """Its bytes, on this machine."""


class Outgoing(NamedTuple):
    """A mail: no line of it begins with a dot, which SMTP would take for its end."""

    start: bytes
    enclosed: Sequence[tuple[bytes, Enclosed]] = ()
    """Each with the lines that stand before it."""
    end: bytes = b""

    @property
    def size_bytes(self) -> int:
        """Of all of it."""
        files = sum(len(before) + _encoded_bytes(one.size_bytes) for before, one in self.enclosed)
        return len(self.start) + files + len(self.end)

    def pieces(self) -> Iterator[bytes]:
        """Its bytes. Raises OSError."""
        yield self.start
        for before, one in self.enclosed:
            yield before
            with one.path.open("rb") as file:
                while read := file.read(PIECE_BYTES):
                    yield base64.encodebytes(read).replace(b"\n", b"\r\n")
        if self.end:
            yield self.end


def outgoing(message: EmailMessage, boundary: str, enclosed: Sequence[Enclosed]) -> Outgoing:
    """The mail that `message`, which has words alone, makes with files.

    Args:
        message: with all of its headers.
        boundary: parts it from its files; nothing that is encoded has such a line.
        enclosed: its files.
    """
    if not enclosed:
        return Outgoing(message.as_bytes(policy=WHOLE))
    message.make_mixed(boundary)
    between, end = f"--{boundary}\r\n".encode(), f"--{boundary}--\r\n".encode()
    start = message.as_bytes(policy=WHOLE).removesuffix(end)
    return Outgoing(start, [(between + _headers(one), one) for one in enclosed], end)


def _headers(one: Enclosed) -> bytes:
    part = EmailMessage(policy=SMTP)
    kind, _, subkind = one.media_type.partition("/")
    charset = {"charset": "utf-8"} if kind == "text" else None
    part.set_content(b"", kind, subkind, filename=one.name, disposition="attachment", params=charset)
    del part["MIME-Version"]
    return part.as_bytes().rstrip(b"\r\n") + b"\r\n\r\n"


def _encoded_bytes(size_bytes: int) -> int:
    return -(-size_bytes // 3) * 4 + -(-size_bytes // LINE_BYTES) * len("\r\n")
