"""Every kind of message that an agent sends, for the page of what goes out."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from schemas.messages import MessageAttachment
from tests.files.test_kind import archive, picture
from workers.channels.delivery.sender import Enclosed
from workers.files.file import File

MIB = 1_048_576
ADDRESS = "https://cdn.example/a"
_AT = datetime(2026, 11, 2, tzinfo=UTC)


class Sent(NamedTuple):
    """A message that an agent sends."""

    name: str
    content: dict[str, Any]
    enclosed: Enclosed | None = None
    splits: bool = True
    terms: dict[str, Any] = {}  # noqa: RUF012 never changed


def sends() -> Iterator[Sent]:
    """Every kind of message."""
    yield Sent("text", {"text": "Dạ còn ạ"})
    long = {"text": "dạ " * 1_000}
    yield Sent("text of 3,000 characters", long)
    yield Sent("the same, where the page refuses (`--too-long refuse`)", long, splits=False)
    yield Sent("text that quotes a message", {"text": "Dạ"}, terms={"reply_to": "m_1"})
    for asked in ("phone", "email", "name"):
        yield Sent(f"text that asks for his {asked}", {"text": "Cho em xin ạ", "asks": [asked]})
    for type_, name in (("image", "picture"), ("audio", "sound"), ("video", "film"), ("file", "file")):
        attachment = MessageAttachment(type=type_, url=ADDRESS)
        yield Sent(f"{name} by its address", _content(attachment), Enclosed(attachment))
    yield _ours("picture of ours, JPEG", "image", "image/jpeg", "a.jpg", picture("JPEG"))
    yield _converted(_ours("picture of ours, WebP", "image", "image/webp", "a.webp", picture("WEBP")))
    yield _ours("picture of ours, HEIC", "file", "image/heic", "a.heic", b"heic")
    yield _ours("picture of ours, GIF", "image", "image/gif", "a.gif", picture("GIF"))
    yield _ours("PDF of ours", "file", "application/pdf", "a.pdf", b"%PDF-1.7\n" + bytes(100))
    large = _ours("PDF of ours, larger than 5 MiB", "file", "application/pdf", "a.pdf", b"%PDF-1.7\n")
    yield _sized(large, 5 * MIB + 1)
    word = archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")
    yield _ours("Word document of ours", "file", "application/zip", "a.docx", word)
    film = _ours("film of ours", "video", "video/mp4", "a.mp4", b"")
    yield film
    yield _unreachable(film)


def _ours(name: str, type_: str, media_type: str, called: str, data: bytes) -> Sent:
    attachment = MessageAttachment(type=type_, name=called, file="ab" * 16, url=f"{ADDRESS}/{called}")
    width, height = (20, 10) if type_ == "image" else (None, None)
    known = type_, media_type, called, len(data), width, height, False, _AT
    file = File("acme", "ab" * 16, None, None, "stored", None, *known)

    @asynccontextmanager
    async def copying() -> AsyncIterator[Path]:
        with tempfile.NamedTemporaryFile() as opened:
            opened.write(data)
            opened.flush()
            yield Path(opened.name)

    return Sent(name, _content(attachment), Enclosed(attachment, file, copying))


def _content(attachment: MessageAttachment) -> dict[str, Any]:
    return {"attachments": [attachment.model_dump(exclude_none=True)]}


def _converted(sent: Sent) -> Sent:
    """With the copy that was made of it."""
    assert sent.enclosed is not None
    copy = _ours("", "image", "image/jpeg", "a.jpg", picture("JPEG")).enclosed
    assert copy is not None
    return sent._replace(enclosed=sent.enclosed._replace(copying_smaller=copy.copying))


def _sized(sent: Sent, size_bytes: int) -> Sent:
    assert sent.enclosed is not None
    assert sent.enclosed.file is not None
    file = sent.enclosed.file._replace(size_bytes=size_bytes)
    return sent._replace(enclosed=sent.enclosed._replace(file=file))


def _unreachable(sent: Sent) -> Sent:
    """The same where no public address of files is set."""
    assert sent.enclosed is not None
    attachment = sent.enclosed.attachment.model_copy(update={"url": None})
    name = f"{sent.name}, no `TONGDAI_ATTACHMENTS_PUBLIC_URL`"
    return sent._replace(name=name, enclosed=sent.enclosed._replace(attachment=attachment))
