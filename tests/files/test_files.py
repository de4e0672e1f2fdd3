"""Files are examined, kept in bounded memory, and given back; pictures that are bombs are never opened."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.attachments import AttachmentsSettings
from tests.files.test_kind import archive, picture
from workers.files.files import Files
from workers.files.link import Links
from workers.files.pictures import Pictures
from workers.files.refusal import FileRefusedError
from workers.files.rows import Known
from workers.files.spool import Spooled, spooled
from workers.files.storage import Range, open_storage


async def chunks_of(data: bytes, size_bytes: int = 1_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size_bytes):
        yield data[start : start + size_bytes]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    settings = AttachmentsSettings(folder=tmp_path / "kept", file_bytes_max=100_000)
    return Files(settings, open_storage(settings), Links(["k" * 32], 3_600))


async def keep(files: Files, data: bytes, name: str) -> Known:
    async with spooled(chunks_of(data), files.settings.file_bytes_max, 10) as here:
        return await files.keep("acme", "ab" * 16, here, name)


async def read(files: Files, key: str, wanted: Range | None = None) -> bytes | None:
    stored = await files.storage.read(key, wanted)
    return None if stored is None else b"".join([chunk async for chunk in stored.chunks])


async def test_a_file_is_kept_whole_under_a_key_of_ours_and_read_in_part(files: Files) -> None:
    data = archive("a.txt") * 100
    known = await keep(files, data, "../báo giá.docx")
    assert known == Known("file", "application/zip", "báo giá.docx", len(data))
    key = f"acme/ab/{'ab' * 16}"
    assert await read(files, key) == data
    assert await read(files, key, Range(10, 20)) == data[10:20]
    assert await files.storage.size_bytes(key) == len(data)
    await files.remove("acme", "ab" * 16)
    await files.remove("acme", "ab" * 16)
    assert await read(files, key) is None


async def test_a_picture_has_its_size_and_a_thumbnail(files: Files) -> None:
    known = await keep(files, picture("PNG"), "váy đỏ")
    assert known[:3] == ("image", "image/png", "váy đỏ.png")
    assert (known.width, known.height, known.has_thumbnail) == (20, 10, True)
    small = await read(files, f"acme/ab/{'ab' * 16}.thumbnail")
    assert small is not None
    assert small.startswith(b"\xff\xd8")


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large, in a few bytes."""

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(bytes(1_000_000), 9)
    head = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", rows) + part(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(bomb(60_000, 60_000), id="more pixels than are opened"),
        pytest.param(picture("JPEG")[:200], id="cut short"),
        pytest.param(picture("PNG")[:40] + bytes(100), id="broken"),
    ],
)
async def test_a_picture_that_cannot_be_opened_safely_is_a_file_to_be_saved(
    files: Files, data: bytes
) -> None:
    known = await keep(files, data, "x.png")
    assert (known.type, known.width, known.has_thumbnail) == ("file", None, False)


async def test_who_opens_a_picture_cannot_take_more_than_its_process_may(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bomb(14_000, 14_000))  # 196 million pixels: more than its memory
    assert await Pictures(pixels_max=200_000_000).open(large) is None


@pytest.mark.parametrize(
    "data", [pytest.param(b"MZ\x90\0" + bytes(99), id="program"), pytest.param(bytes(9), id="zeros")]
)
async def test_a_file_of_no_kind_that_is_taken_is_refused(files: Files, data: bytes) -> None:
    with pytest.raises(FileRefusedError) as refused:
        await keep(files, data, "x.png")
    assert refused.value.code == "kind_not_taken"
    assert not list(files.settings.folder.rglob("*"))


async def test_what_comes_is_counted_as_it_comes_and_leaves_nothing_behind() -> None:
    drawn = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal drawn
        while True:
            drawn += 1
            yield bytes(1_000)

    here: list[Spooled] = []
    for chunks, code in ((endless(), "too_large"), (chunks_of(b""), "empty")):
        with pytest.raises(FileRefusedError) as refused:
            async with spooled(chunks, 5_000, 10) as found:
                here.append(found)
        assert refused.value.code == code
    assert (drawn, here) == (6, [])
    async with spooled(chunks_of(b"abc"), 5_000, 10) as found:
        assert found.path.read_bytes() == b"abc"
    assert not found.path.parent.exists()


async def test_a_file_that_does_not_come_to_its_end_is_given_up() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    with pytest.raises(FileRefusedError) as refused:
        async with spooled(stuck(), 5_000, 0.05):
            pass
    assert refused.value.code == "too_slow"
