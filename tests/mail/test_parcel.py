"""Files that agents attach to a mail: within it, or as links; never whole in memory."""

from __future__ import annotations

import email
import tracemalloc
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.letters import SENDER, written
from tests.mail.mail_server import mail_server
from tests.mail.test_smtp import Script, listening
from workers.channels.mail.frame import Linked
from workers.channels.mail.outgoing import PIECE_BYTES, Enclosed
from workers.channels.mail.parcel import Parcel, parted
from workers.channels.mail.smtp import Server, Timeouts, give
from workers.channels.outreach.result import Given, NotGiven, Result
from workers.files.file import File

MIB = 1_048_576
TIMEOUTS = Timeouts(20.0, 20.0)


def enclosed(folder: Path, name: str, data: bytes, media_type: str = "application/pdf") -> Enclosed:
    path = folder / str(len(list(folder.iterdir())))
    path.write_bytes(data)
    return Enclosed(name, media_type, len(data), path)


def stored(size_bytes: int) -> File:
    known = ("file", "application/pdf", "a.pdf", size_bytes, None, None, False, datetime.now(UTC))
    return File("acme", "ab" * 16, None, None, "stored", None, *known)


@given(st.lists(st.integers(0, 100), max_size=10), st.integers(0, 200))
def test_what_fits_goes_within_and_nothing_is_left_out(sizes: list[int], bytes_max: int) -> None:
    files = [stored(size_bytes) for size_bytes in sizes]
    within, beside = parted(files, bytes_max)
    left = bytes_max - sum(one.size_bytes or 0 for one in within)
    assert left >= 0
    assert sorted(map(id, within + beside)) == sorted(map(id, files))
    if len(files) == 1:
        assert bool(within) == (sizes[0] <= bytes_max)
    # What is small goes within although something before it was too large.
    assert all((one.size_bytes or 0) > left for one in beside)


@pytest.mark.parametrize("size_bytes", [0, 1, 56, 57, 58, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1])
def test_files_arrive_as_they_are_and_the_mail_is_as_large_as_it_says(
    tmp_path: Path, size_bytes: int
) -> None:
    data = (b".\r\n.\x00\xff" * (size_bytes // 6 + 1))[:size_bytes]
    parcel = Parcel(
        [enclosed(tmp_path, "giá 1.pdf", data), enclosed(tmp_path, "b.txt", b"\xc3\xa1", "text/plain")]
    )
    mail = written(parcel)
    raw = b"".join(mail.pieces())
    assert (len(raw), raw) == (mail.size_bytes, b"".join(written(parcel).pieces()))
    assert not any(line.startswith(b".") or len(line) > 998 for line in raw.split(b"\r\n"))
    found = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    body = found.get_body(("plain",))
    assert body is not None
    assert "Chị lấy mấy hộp?" in body.get_content()
    pdf, text = found.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content_type()) == ("giá 1.pdf", "application/pdf")
    assert (pdf.get_content(), text.get_content()) == (data, "á")


def test_links_stand_behind_the_words_with_the_day_before_which_they_are_good() -> None:
    ends_at = datetime(2026, 12, 22, tzinfo=UTC)
    linked = Linked("phim.mp4", 31_400_000, "https://chat.example/v1/files/x", ends_at)
    found = email.message_from_bytes(b"".join(written(Parcel((), [linked])).pieces()), policy=policy.default)
    assert isinstance(found, EmailMessage)
    lines = found.get_content().splitlines()
    assert lines[5:7] == ["phim.mp4 (31.4 MB, tải về trước 22/12/2026):", linked.url]


async def _given(parcel: Parcel, port: int) -> Result:
    mail = written(parcel)
    return await give(
        Server("127.0.0.1", port, "none", None), SENDER.address, "lan@example.com", mail, TIMEOUTS
    )


async def test_a_server_that_takes_less_says_so_before_the_mail_has_come(tmp_path: Path) -> None:
    async with mail_server(bytes_max=MIB) as server:
        found = await _given(Parcel([enclosed(tmp_path, "a.pdf", bytes(MIB))]), server.port)
        assert isinstance(found, NotGiven)
        assert (found.reason, found.again, server.order) == ("mail_too_large", False, [])
        assert await _given(Parcel([enclosed(tmp_path, "a.pdf", bytes(MIB // 2))]), server.port) == Given()


async def test_a_large_mail_is_never_in_memory_whole(tmp_path: Path) -> None:
    parcel = Parcel([enclosed(tmp_path, "a.pdf", bytes(4 * MIB))])
    async with listening(Script()) as port:
        tracemalloc.start()
        try:
            assert await _given(parcel, port) == Given()
            _, most_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most_bytes < 3 * MIB
