"""Giving a mail to a mail server, once, and what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Literal, NamedTuple

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPStatus,
)

from schemas.receipts import DeliveryReason
from workers.channels.mail.outgoing import Outgoing
from workers.channels.outreach.result import Given, NotGiven, Result, Unanswered

Tls = Literal["starttls", "implicit", "none"]
DETAIL_CHARS_MAX = 300
QUIT_S = 2.0
"""To say goodbye: whatever comes of it, the server has answered already."""
TOO_LARGE = 552
ENHANCED_TOO_LARGE = frozenset({"5.2.3", "5.3.4"})
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
"""RFC 2034: with it the words of an answer begin."""
_ERRORS = (SMTPException, OSError, TimeoutError, ValueError)


class Server(NamedTuple):
    """A page's mail server. The login is secret."""

    host: str
    port: int
    tls: Tls
    login: tuple[str, str] | None
    """User and password."""


class Timeouts(NamedTuple):
    """How long is waited. RFC 5321 (4.5.3.2.6): who looks through a mail may take ten minutes to answer."""

    ready_s: float
    """Until the server has taken the recipient."""
    answer_s: float
    """From then until it has answered to the mail."""

    @property
    def whole_s(self) -> float:
        """For all of it."""
        return self.ready_s + self.answer_s + QUIT_S


async def give(server: Server, sender: str, to: str, mail: Outgoing, timeouts: Timeouts) -> Result:
    """Give `mail` to the server. Raises nothing but CancelledError."""
    client = _client(server, timeouts.ready_s)
    try:
        result = await _given(client, sender, to, mail, timeouts)
        await _leave(client)
        return result
    finally:
        client.close()


def _client(server: Server, timeout_s: float) -> SMTP:
    user, password = server.login or (None, None)
    return SMTP(
        hostname=server.host,
        port=server.port,
        username=user,
        password=password,
        use_tls=server.tls == "implicit",
        start_tls=server.tls == "starttls",
        timeout=timeout_s,
    )


async def _given(client: SMTP, sender: str, to: str, mail: Outgoing, timeouts: Timeouts) -> Result:
    try:
        async with asyncio.timeout(timeouts.ready_s):
            await client.connect()
            await client.mail(sender, options=await _size(client, mail))
            await client.rcpt(to)
    except _ERRORS as error:
        return not_given(error)
    try:
        async with asyncio.timeout(timeouts.answer_s):
            await _data(client, mail, timeouts.answer_s)
    except _ERRORS as error:
        client.close()  # an answer that comes now would be taken for that to the goodbye
        return not_answered(error)
    return Given()


async def _size(client: SMTP, mail: Outgoing) -> list[str]:
    """RFC 1870: a server that wants to know how large a mail is refuses it before it has come."""
    if client.is_ehlo_or_helo_needed:
        with contextlib.suppress(SMTPHeloError):  # an old one is greeted otherwise next
            await client.ehlo()
    return [f"SIZE={mail.size_bytes}"] if client.supports_extension("size") else []


async def _data(client: SMTP, mail: Outgoing, timeout_s: float) -> None:
    """The library's own takes a mail whole, and copies it. Raises SMTPException, OSError, TimeoutError."""
    await _say(client, b"DATA", SMTPStatus.start_input, timeout_s)
    pieces = mail.pieces()
    while piece := await asyncio.to_thread(next, pieces, b""):
        if client.protocol is None:
            raise SMTPServerDisconnected("the connection is lost")
        client.protocol.write(piece)
        await client.protocol._drain_helper()  # noqa: SLF001 - as asyncio's own streams wait with it
    await _say(client, b".", SMTPStatus.completed, timeout_s)


async def _say(client: SMTP, word: bytes, wanted: SMTPStatus, timeout_s: float) -> None:
    answer = await client.execute_command(word, timeout=timeout_s)
    if answer.code != wanted:
        raise SMTPDataError(answer.code, answer.message)


async def _leave(client: SMTP) -> None:
    with contextlib.suppress(*_ERRORS):
        async with asyncio.timeout(QUIT_S):
            await client.quit(timeout=QUIT_S)


def not_given(error: Exception) -> NotGiven:
    """By the class of the answer (RFC 5321, 4.2.1): 4yz may succeed later, 5yz will not."""
    match error:
        case SMTPAuthenticationError():
            return NotGiven("mail_login", again=True, detail=_words(error))
        case SMTPConnectResponseError() | SMTPHeloError():  # it does not speak with us now, whatever the mail
            return NotGiven("mail_down", again=True, detail=_words(error))
        case SMTPRecipientRefused():
            return _by_class(error, "mail_address")
        case SMTPSenderRefused() | SMTPDataError():
            return _by_class(error, "mail_too_large" if _is_too_large(error) else "mail_refused")
    return NotGiven("mail_down", again=True, detail=_words(error))


def not_answered(error: Exception) -> NotGiven | Unanswered:
    """The same once the mail may be there: only a refusal says that it is not."""
    if isinstance(error, SMTPDataError) and error.code >= 400:
        return not_given(error)
    return Unanswered(_words(error))


def _by_class(error: SMTPResponseException, reason: DeliveryReason) -> NotGiven:
    detail = _words(error)
    return NotGiven(reason, again=False, detail=detail) if error.code >= 500 else _later(detail)


def _is_too_large(error: SMTPResponseException) -> bool:
    """RFC 1870, 6.1; a mailbox that is full has the same code (RFC 3463, 3.3)."""
    enhanced = _ENHANCED.match(error.message)
    return error.code == TOO_LARGE and (enhanced is None or enhanced[0] in ENHANCED_TOO_LARGE)


def _later(detail: str) -> NotGiven:
    return NotGiven("mail_later", again=True, detail=detail)


def _words(error: Exception) -> str:
    """Which error it is, and a server's codes. Its words are left out: they quote recipient or mail."""
    name = type(error).__name__
    if isinstance(error, SMTPResponseException):
        enhanced = _ENHANCED.match(error.message)
        return f"{name}: {error.code} {enhanced[0]}" if enhanced else f"{name}: {error.code}"
    if isinstance(error, ValueError):
        return name
    return f"{name}: {error}"[:DETAIL_CHARS_MAX]
