"""Mails that were made to take the ingress down: what is done for them before a token, and who does the rest.

Steps are calls and lines of Python that are run; moments of a clock say nothing on a machine that others use.
"""

from __future__ import annotations

import base64
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from schemas.base import TEXT_CHARS_MAX
from tests.mail.letters import ADDRESSES, AT, TICKET, settings
from workers.channels.channel import Refused, Skipped
from workers.channels.mail.door import MailDoor
from workers.channels.mail.head import HEAD_BYTES_MAX, PARAMETERS_CHARS_MAX, UnreadableMailError, read_head
from workers.channels.mail.html import words_of
from workers.channels.mail.opener import WAITING_MAX, Opener
from workers.channels.mail.reading import beginning, read_content
from workers.channels.problem import MalformedError, OverloadedError

SIZE = 4_000_000
HEAD = b"From: a@b.cd\r\nTo: reply+x@mail.example.com\r\n"
HTML = b"Content-Type: text/html\r\n\r\n"
HTML_CHARS = 60_000
STEPS_MAX = 2_000_000
MEMORY_MAX_BYTES = 32_000_000
"""Beside the mail itself."""
PARTS = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"


def filled(head: bytes, piece: bytes, size: int = SIZE) -> bytes:
    return HEAD + head + piece * (size // len(piece))


HOSTILE: dict[str, bytes] = {
    "tables": filled(HTML, b"<table><tr><td>"),
    "margins": HEAD + HTML + b'<p style="margin-top:100000000em">x</p>',
    "parameters": filled(b"Content-Type: multipart/mixed", b";") + b"\r\n\r\nx",
    "parameters of a part": filled(PARTS + b"Content-Type: text/plain", b";") + b"\r\n\r\nx",
    "base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(b"a" * SIZE),
    "short lines": filled(PARTS + b"\r\n", b"a\n"),
    "nested": HEAD
    + b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(99))
    + b"a\n" * (SIZE // 2),
    "a field without end": filled(b"Subject: ", b"=?utf-8?q?a?= "),
    "fields without end": filled(b"", b"References: <a@b>\r\n"),
    "comments": HEAD + b"From: " + b"(" * 100_000 + b"\r\n\r\nx",
    "addresses": filled(b"To: ", b"a@b.cd, ", 120_000) + b"\r\n\r\nx",
    "dates": filled(b"Date: ", b"1 ", 120_000) + b"\r\n\r\nx",
    "a report": HEAD + b"Content-Type: multipart/report; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * (SIZE // 7),
}


class TestBeforeAToken:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_mail_costs_little(self, name: str) -> None:
        raw = HOSTILE[name]

        def read() -> None:
            try:
                read_head(raw)
            except UnreadableMailError:
                return
            beginning(raw)

        steps, peak_bytes = measured(read)
        assert steps < STEPS_MAX
        assert peak_bytes < MEMORY_MAX_BYTES

    @pytest.mark.parametrize("name", HOSTILE)
    async def test_its_content_is_not_opened(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Opener, "content", _never)
        nobody: Any = None
        try:
            document = await MailDoor(settings(), nobody).complete(HOSTILE[name])
        except MalformedError:
            return
        [item] = MailDoor(settings(), nobody).items(document)
        assert isinstance(item, Refused | Skipped)

    @pytest.mark.parametrize(
        "raw",
        [
            b"Subject: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\nx",
            b"Content-Type: text/plain" + b";" * PARAMETERS_CHARS_MAX + b"\r\n\r\nx",
        ],
        ids=["head", "parameters"],
    )
    def test_what_is_too_long_is_refused(self, raw: bytes) -> None:
        with pytest.raises(UnreadableMailError, match="has more than"):
            read_head(raw)

    def test_the_words_it_begins_with_are_there_for_a_person(self) -> None:
        assert beginning(HEAD + b"Content-Transfer-Encoding: base64\r\n\r\neGluIGNow6Bv\r\n") == "xin chào"
        assert beginning(HEAD + PARTS + HTML + b"<p>chao</p>") == ""


class TestTheWordsOfHtml:
    @pytest.mark.parametrize(
        "piece", ["<table><tr><td>", "<p>", "<li><ul>", "<b>", "<pre>\n", "<br>", "&amp;", "<!--", "<", "<a "]
    )
    def test_take_as_long_as_it_is(self, piece: str) -> None:
        html = (piece * HTML_CHARS)[:HTML_CHARS]
        half_steps, _ = measured(lambda: words_of(html[: len(html) // 2]))
        steps, peak_bytes = measured(lambda: words_of(html))
        assert steps < 3 * half_steps + 1_000
        assert peak_bytes < MEMORY_MAX_BYTES

    def test_stand_in_lines_as_they_are_seen(self) -> None:
        table = "<table style='margin:9em'><tr><td>Hộp</td><td>2</td></tr><tr><td>Giá</td></tr></table>"
        lines = "<div>một<br>hai</div><div> ba</div>"
        html = f"<title>x</title><h1>Chào&nbsp; <b>shop</b></h1>{lines}{table}<p>hết</p>"
        assert words_of(html).splitlines() == [
            *("Chào shop", "", "một", "hai", "ba", "", "Hộp 2", "Giá", "", "hết"),
        ]
        assert words_of("<pre>một\n  hai</pre>ba") == "một\n  hai\n\nba"

    @pytest.mark.parametrize("html", ["", " ", "<", "<!-- -->", '<?xml version="1.0" encoding="x"?>'])
    def test_are_none_where_there_is_nothing(self, html: str) -> None:
        assert words_of(html) in ("", "<")


class TestBehindAToken:
    async def test_a_mail_is_read_in_another_process(self) -> None:
        raw = f"To: {ADDRESSES.address(ADDRESSES.token(TICKET, AT))}\r\n".encode() + PARTS
        raw += b"\r\n" + "chữ ".encode() * 20_000
        raw += b'\r\n--x\r\nContent-Disposition: attachment; filename="a.pdf"\r\n\r\n%PDF\r\n--x--\r\n'
        content = await Opener().content(raw)
        assert content == read_content(raw)._replace(text=read_content(raw).text[:TEXT_CHARS_MAX])
        assert [(one.name, one.data) for one in content.attached] == [("a.pdf", b"%PDF")]

    async def test_which_may_fail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        opener = Opener()
        with pytest.raises(UnreadableMailError, match="parts"):
            await opener.content(PARTS + b"\r\n--x\r\n\r\n" * 1_000)
        with pytest.raises(UnreadableMailError, match="memory"):
            await opener.content(filled(PARTS + b"\r\n", b"a\n", 16_000_000))
        monkeypatch.setattr("workers.channels.mail.opener.DEADLINE_S", 0.0)
        with pytest.raises(OverloadedError):
            await opener.content(HEAD)
        opener._waiting = WAITING_MAX
        with pytest.raises(OverloadedError):
            await opener.content(HEAD)


async def _never(self: object, raw: bytes) -> None:
    raise AssertionError((self, raw[:100]))


def measured(work: Callable[[], object]) -> tuple[int, int]:
    """How many lines of Python it runs, and the most memory that it has at once, in bytes."""
    steps = 0

    def step(_: FrameType, what: str, __: object) -> Any:  # noqa: ANN401 - of sys.settrace
        nonlocal steps
        steps += what == "line"
        return step

    former = sys.gettrace()
    sys.settrace(step)
    try:
        work()
    finally:
        sys.settrace(former)
    tracemalloc.start()
    try:
        work()
        return steps, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
