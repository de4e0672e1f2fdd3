"""What a file is, by its content and never by its name. Pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple

import filetype

from config.attachments import KINDS

HEAD_BYTES = 8_192
"""The beginning of a file, by which it is judged."""
NAME_CHARS_MAX = 120
SHOWN_TYPES = frozenset({"image", "audio", "video"})
"""What a browser may show in place; anything else is saved."""

_SAME = {
    "audio/m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "video/x-m4v": "video/mp4",
    "application/msword": "application/x-ole-storage",
    "application/vnd.ms-excel": "application/x-ole-storage",
    "application/vnd.ms-powerpoint": "application/x-ole-storage",
}
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff/\\]+")


class Kind(NamedTuple):
    """A kind of file that is known."""

    media_type: str
    type: str
    """In a message: `image`, `audio`, `video`, `file`."""
    endings: tuple[str, ...]


def kind_of(head: bytes) -> Kind | None:
    """The kind of a file that begins with `head`; none: it is not known."""
    if head.startswith(_OLE):
        return _kind("application/x-ole-storage")
    found = filetype.guess(head)
    if found is None:
        return _kind("text/plain") if is_text(head) else None
    if found.mime.startswith("application/vnd.o"):  # office documents: archives
        return _kind("application/zip")
    return _kind(_SAME.get(found.mime, found.mime))


def is_text(head: bytes) -> bool:
    """Whether it can be text: UTF-8 without control characters, perhaps cut within its last letter."""
    if _CONTROL.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) == HEAD_BYTES and error.start >= len(head) - 3 and "end of data" in error.reason
    return True


def name_of(name: str | None, kind: Kind) -> str:
    """`name` as it may be saved: one line, no folders, and ending as its content says."""
    plain = _UNSAFE.sub(" ", name or "").strip(" .")[-NAME_CHARS_MAX:].strip(" .") or kind.type
    return plain if PurePosixPath(plain.lower()).suffix in kind.endings else plain + kind.endings[0]


def saved_only(kind: Kind) -> Kind:
    """The same, never shown in place: of a picture that cannot be opened safely."""
    return kind._replace(type="file")


def _kind(media_type: str) -> Kind | None:
    known = KINDS.get(media_type)
    return None if known is None else Kind(media_type, *known)
