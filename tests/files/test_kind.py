"""What a file is, by its content and never by its name."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from config.attachments import KINDS
from workers.files.kind import HEAD_BYTES, Kind, kind_of, name_of

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
PNG = bytes.fromhex("89504e470d0a1a0a") + bytes(20)


def picture(format_: str) -> bytes:
    """A small red picture."""
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(file, format_)
    return file.getvalue()


def archive(*names: str) -> bytes:
    """An archive of small files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name in names:
            opened.writestr(name, "<x/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        pytest.param(picture("JPEG"), "image/jpeg", id="jpeg"),
        pytest.param(picture("PNG"), "image/png", id="png"),
        pytest.param(picture("GIF"), "image/gif", id="gif"),
        pytest.param(picture("WEBP"), "image/webp", id="webp"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic", id="heic"),
        pytest.param(b"ID3\x03" + bytes(20), "audio/mpeg", id="mp3"),
        pytest.param(b"OggS\0\x02" + bytes(22) + b"OpusHead", "audio/ogg", id="ogg"),
        pytest.param(b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom", "audio/mp4", id="m4a"),
        pytest.param(b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav", id="wav"),
        pytest.param(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4", id="mp4"),
        pytest.param(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime", id="mov"),
        pytest.param(b"%PDF-1.7\n", "application/pdf", id="pdf"),
        pytest.param(archive("a.txt"), "application/zip", id="zip"),
        pytest.param(
            archive("[Content_Types].xml", "_rels/.rels", "word/a.xml"), "application/zip", id="docx"
        ),
        pytest.param(OLE, "application/x-ole-storage", id="doc"),
        pytest.param("Áo dài đỏ, cỡ M".encode(), "text/plain", id="text"),
        pytest.param("ả".encode() * HEAD_BYTES, "text/plain", id="long text"),
    ],
)
def test_a_file_is_what_its_content_says(head: bytes, media_type: str) -> None:
    found = kind_of(head[:HEAD_BYTES])
    assert found is not None
    assert (found.media_type, found.type, found.endings) == (media_type, *KINDS[media_type])


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"MZ\x90\0" + bytes(200), id="program of Windows"),
        pytest.param(b"\x7fELF" + bytes(60), id="program of Linux"),
        pytest.param(bytes(100), id="zeros"),
        pytest.param(b"\xff\xfe<\0s\0c\0r\0i\0p\0t\0>\0", id="text that is not UTF-8"),
        pytest.param(b"text\x1b[2J", id="commands to a terminal"),
        pytest.param("ả".encode()[:2], id="half a letter"),
    ],
)
def test_what_is_not_known_is_not_taken(head: bytes) -> None:
    assert kind_of(head) is None


@pytest.mark.parametrize("page", ["<script>alert(1)</script>", "<svg onload='x'/>", "#!/bin/sh\nrm -rf /"])
def test_a_page_or_a_program_in_words_is_text_and_saved_as_text(page: str) -> None:
    found = kind_of(page.encode())
    assert found is not None
    assert (found.media_type, name_of("page.html", found)) == ("text/plain", "page.html.txt")


@pytest.mark.parametrize(
    ("name", "head", "saved"),
    [
        ("Ảnh váy.PNG", PNG, "Ảnh váy.PNG"),
        ("virus.exe", PNG, "virus.exe.png"),
        ("báo giá.docx", archive("a"), "báo giá.docx"),
        ("app.apk", archive("a"), "app.apk.zip"),
        ("../../etc/passwd", b"root", "etc passwd.txt"),
        ("a\r\nset-cookie: b.txt", b"x", "a set-cookie: b.txt"),
        ("\u202egnp.exe", PNG, "gnp.exe.png"),
        ("C:\\x\\y.txt", b"x", "C: x y.txt"),
        (None, PNG, "image.png"),
        (" .. ", b"x", "file.txt"),
    ],
)
def test_a_name_ends_as_the_content_says(name: str | None, head: bytes, saved: str) -> None:
    kind = kind_of(head)
    assert kind is not None
    assert name_of(name, kind) == saved


@given(st.binary(max_size=300) | st.text().map(str.encode), st.text(max_size=300))
def test_whatever_it_is_its_name_is_one_line_without_folders(head: bytes, name: str) -> None:
    kind = kind_of(head) or Kind("text/plain", *KINDS["text/plain"])
    saved = name_of(name, kind)
    assert saved.lower().endswith(kind.endings)
    assert not set(saved) & set("/\\\r\n\0")
    assert len(saved) <= 130
