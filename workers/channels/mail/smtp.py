"""Giving a mail to a mail server, once, and what became of it."""

from __future__ import annotations

import asyncio
from typing import Literal, NamedTuple

import aiosmtplib

from schemas.receipts import DeliveryReason
from workers.channels.outreach.result import Given, NotGiven, Result

Tls = Literal["starttls", "implicit", "none"]
DETAIL_CHARS_MAX = 300


class Server(NamedTuple):
    """A page's mail server. The login is secret."""

    host: str
    port: int
    tls: Tls
    login: tuple[str, str] | None
    """User and password."""


async def give(server: Server, sender: str, to: str, mail: bytes, timeout_s: float) -> Result:
    """Give `mail` to the server; all of it within `timeout_s`. Raises nothing but CancelledError."""
    user, password = server.login or (None, None)
    try:
        async with asyncio.timeout(timeout_s):
            await aiosmtplib.send(
                mail,
                sender=sender,
                recipients=[to],
                hostname=server.host,
                port=server.port,
                username=user,
                password=password,
                use_tls=server.tls == "implicit",
                start_tls=server.tls == "starttls",
                timeout=timeout_s,
            )
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        return not_given(error)
    return Given()


def not_given(error: Exception) -> NotGiven:
    """By the class of the answer (RFC 5321, 4.2.1): 4yz may succeed later, 5yz will not."""
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return NotGiven("mail_login", again=True, detail=_words(error))
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _by_class(refused.code, "mail_address", refused.message)
        case (
            aiosmtplib.SMTPConnectResponseError() | aiosmtplib.SMTPHeloError()
        ):  # it does not speak with us now, whatever the mail
            return NotGiven("mail_down", again=True, detail=_words(error))
        case aiosmtplib.SMTPRecipientRefused():
            return _by_class(error.code, "mail_address", error.message)
        case aiosmtplib.SMTPSenderRefused() | aiosmtplib.SMTPDataError():
            return _by_class(error.code, "mail_refused", error.message)
    return NotGiven("mail_down", again=True, detail=_words(error))


def _by_class(code: int, reason: DeliveryReason, words: str) -> NotGiven:
    detail = f"{code} {words}"[:DETAIL_CHARS_MAX]
    return NotGiven(reason, again=False, detail=detail) if code >= 500 else _later(detail)


def _later(detail: str) -> NotGiven:
    return NotGiven("mail_later", again=True, detail=detail)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:DETAIL_CHARS_MAX]
