"""Addresses that lead back into tickets: signed, so that nobody writes into a ticket by guessing."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from config.mail import MailSettings

TOKEN_CHARS = 48
MAC_BYTES = 12
_TOKEN = rf"([a-z2-7]{{{TOKEN_CHARS}}})"
ADDRESS_CHARS_MAX = 254
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")
"""As browsers take one (WHATWG's HTML), with a dot in its domain: no header can be broken with it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_address(text: str) -> bool:
    """Whether it is an address that can be written to."""
    return len(text) <= ADDRESS_CHARS_MAX and _ADDRESS.fullmatch(text) is not None


class BadTokenError(ValueError):
    """A token leads into no ticket; the text says why."""


class ReplyAddresses:
    """Of one installation.

    A token is the ticket's id, the day and 96 bits of their HMAC, in letters that every mail server leaves as
    they are: `reply+<token>@mail.example.com`. It is in the Message-ID, too, which replies name
    also when they come to another address.

    Args:
        settings: with a reply address and keys.
    """

    def __init__(self, settings: MailSettings) -> None:
        local, _, self._domain = (settings.reply_address or "").partition("@")
        self._local = local
        self._keys = [key.get_secret_value().encode() for key in settings.keys]
        self._days = settings.reply_days
        domain = re.escape(self._domain)
        self._address = re.compile(rf"{re.escape(local)}\+{_TOKEN}@{domain}", re.IGNORECASE)
        self._message_id = re.compile(rf"<{_TOKEN}\.([0-9a-f]{{32}})@{domain}>", re.IGNORECASE)

    def token(self, ticket: UUID, at: datetime) -> str:
        """The token of a mail that is written at `at`: the same for all of a ticket on one day."""
        said = ticket.bytes + (at - _EPOCH).days.to_bytes(2, "big")
        return base64.b32encode(said + _mac(self._keys[0], said)).decode().lower()

    def address(self, token: str) -> str:
        """Where a reply is to go."""
        return f"{self._local}+{token}@{self._domain}"

    def message_id(self, token: str, message: UUID) -> str:
        """What a mail is known by: the same for each attempt to send it."""
        return self.named(f"{token}.{message.hex}")

    def named(self, name: str) -> str:
        """The Message-ID with this before its @."""
        return f"<{name}@{self._domain}>"

    def tokens(self, addressed: str, named: str) -> Iterator[str]:
        """The tokens in headers that say to whom a mail goes, then in those that name others before it."""
        yield from (found.lower() for found in self._address.findall(addressed))
        yield from (token for token, _ in self.messages(named))

    def messages(self, named: str) -> Iterator[tuple[str, UUID]]:
        """The mails of ours in headers that name them, each with its token."""
        for token, message in self._message_id.findall(named):
            yield token.lower(), UUID(message)

    def ticket(self, token: str, now: datetime) -> UUID:
        """The ticket to which a token leads. Raises BadTokenError."""
        signed = base64.b32decode(token.upper())
        said, mac = signed[:-MAC_BYTES], signed[-MAC_BYTES:]
        if not any(hmac.compare_digest(mac, _mac(key, said)) for key in self._keys):
            raise BadTokenError("the address is none of ours: its signature is wrong")
        if (now - _EPOCH).days - int.from_bytes(said[16:], "big") > self._days:
            raise BadTokenError(f"the address was good for {self._days} days, which are over")
        return UUID(bytes=said[:16])


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, b"tongdai/mail/reply" + said, "sha256")[:MAC_BYTES]
