"""A mail server: it answers as it is told, and keeps each Message-ID once, as mailboxes do."""

from __future__ import annotations

import asyncio
import email
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import policy
from email.message import EmailMessage
from ssl import SSLContext
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

OK = "250 OK"


class MailServer:
    """What came to it, by Message-ID, and how often each was given."""

    def __init__(self) -> None:
        self.port = 0
        self.kept: dict[str, EmailMessage] = {}
        self.given: Counter[str] = Counter()
        self.senders: dict[str, str | None] = {}
        """Of the envelopes: who is told what becomes of the mail."""
        self.order: list[str] = []
        """The subjects of what was kept."""
        self.answers: deque[str] = deque()
        """To the next mails, then OK."""
        self.unknown: set[str] = set()
        self.commands: list[str] = []
        self.held: dict[str, asyncio.Event] = {}
        """Mails of these subjects are taken, and answered once it is set."""

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append("MAIL")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return OK

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return OK

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.popleft() if self.answers else OK
        if answer.startswith("2"):
            content: Any = envelope.content
            mail = email.message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            if mail["Message-ID"] not in self.kept:
                self.order.append(mail["Subject"])
            self.given[mail["Message-ID"]] += 1
            self.kept[mail["Message-ID"]] = mail
            self.senders[mail["Message-ID"]] = envelope.mail_from
            if held := self.held.get(mail["Subject"]):
                await held.wait()
        return answer


@asynccontextmanager
async def mail_server(
    tls: SSLContext | None = None, *, is_implicit: bool = False, bytes_max: int = 33_554_432
) -> AsyncIterator[MailServer]:
    """One that listens; with a certificate of `tls` from the first byte, or once STARTTLS is said.

    It takes mails of up to `bytes_max`, and says so.
    """
    found = MailServer()

    def speaker() -> SMTP:
        later = None if is_implicit else tls
        return SMTP(
            found,
            hostname="mail.test",
            tls_context=later,
            require_starttls=later is not None,
            data_size_limit=bytes_max,
        )

    at_once = tls if is_implicit else None
    server = await asyncio.get_running_loop().create_server(speaker, "127.0.0.1", 0, ssl=at_once)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
