"""A mail server that falls silent: what it has taken is not sent again because of how it says goodbye."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.idle_time import in_idle_time
from workers.channels.mail import smtp
from workers.channels.mail.outgoing import Outgoing
from workers.channels.mail.smtp import Server, Timeouts, give
from workers.channels.outreach.result import Given, NotGiven, Result, Unanswered

READY_S = 2.0
FOR_EVER = "for ever"
"""Instead of an answer: none comes."""
CUT = "cut"
"""The connection ends."""


class Script:
    """What a server answers, by the first word of the line; `.` ends the mail."""

    def __init__(self, **answers: str) -> None:
        usual = {"": "220 hi", "DATA": "354 go on", ".": "250 queued", "QUIT": "221 bye"}
        self._answers = usual | answers
        self.taken = 0
        self.released = asyncio.Event()
        """Mails are answered once it is set."""
        self.released.set()

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        word, in_mail = "", False
        while True:
            answer = self._answers.get(word, "250 OK")
            if word == ".":
                await self.released.wait()
                self.taken += answer.startswith("250")
            if answer == CUT:
                break
            if answer != FOR_EVER:
                writer.write(f"{answer}\r\n".encode())
            in_mail = word == "DATA"
            while line := await reader.readline():
                word = line.decode().strip().partition(" ")[0]
                if not in_mail or word == ".":
                    break
            else:
                break
        writer.close()


@asynccontextmanager
async def listening(script: Script) -> AsyncIterator[int]:
    """Until who has called has hung up."""
    ended = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await script.play(reader, writer)
        ended.set()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        async with asyncio.timeout(10):
            await ended.wait()
        server.close()


async def given(script: Script, answer_s: float = 10.0, ready_s: float = READY_S) -> Result:
    async with listening(script) as port:
        server = Server("127.0.0.1", port, "none", None)
        mail = Outgoing(b"Subject: x\r\n\r\nhi\r\n")
        return await give(server, "a@b.vn", "c@d.vn", mail, Timeouts(ready_s, answer_s))


@pytest.mark.parametrize("goodbye", ["221 bye", "500 what?", CUT, FOR_EVER])
@in_idle_time
async def test_what_was_taken_is_given_however_the_server_says_goodbye(
    goodbye: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "QUIT_S", 0.05)
    script = Script(QUIT=goodbye)
    assert (await given(script), script.taken) == (Given(), 1)


@in_idle_time
async def test_who_looks_through_a_mail_has_a_time_of_its_own_to_answer() -> None:
    script = Script()
    script.released.clear()
    task = asyncio.create_task(given(script, ready_s=0.5))
    done, _ = await asyncio.wait({task}, timeout=1.5)
    assert not done
    script.released.set()
    assert (await task, script.taken) == (Given(), 1)


@pytest.mark.parametrize("end", [CUT, FOR_EVER])
@in_idle_time
async def test_without_an_answer_to_the_mail_nobody_knows_whether_it_was_taken(end: str) -> None:
    assert isinstance(await given(Script(**{".": end}), answer_s=0.1), Unanswered)


@pytest.mark.parametrize(
    ("answer", "reason", "again"),
    [("554 spam", "mail_refused", False), ("452 full", "mail_later", True)],
)
@in_idle_time
async def test_a_refusal_counts_though_nothing_else_is_said(answer: str, reason: str, again: bool) -> None:
    found = await given(Script(**{".": answer, "RSET": FOR_EVER, "QUIT": FOR_EVER}))
    assert isinstance(found, NotGiven)
    assert (found.reason, found.again) == (reason, again)


@pytest.mark.parametrize("word", ["", "EHLO", "MAIL", "RCPT"])
@in_idle_time
async def test_what_was_not_said_yet_was_not_taken(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "QUIT_S", 0.05)
    found = await given(Script(**{word: FOR_EVER}), ready_s=0.2)
    assert isinstance(found, NotGiven)
    assert (found.reason, found.again) == ("mail_down", True)
