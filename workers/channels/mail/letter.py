"""A mail as it is given to a mail server: its headers, and the words of an agent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple
from uuid import UUID

from workers.channels.mail.address import ReplyAddresses
from workers.channels.mail.frame import Language, framed
from workers.channels.mail.outgoing import Outgoing, outgoing
from workers.channels.mail.parcel import Parcel

REFERENCES_MAX = 10
SUBJECTS: dict[Language, str] = {"vi": "Yêu cầu của bạn", "en": "Your request"}


class Sender(NamedTuple):
    """Whom customers see as the sender."""

    address: str
    name: str
    language: Language


class Letter(NamedTuple):
    """What an agent has written to a customer about a ticket."""

    message: UUID
    ticket: int
    token: str
    to: str
    subject: str
    text: str
    written_at: datetime
    former: Sequence[str] = ()
    """Message-IDs of those that were sent before about the same ticket, the oldest first."""


def mime(letter: Letter, sender: Sender, addresses: ReplyAddresses, parcel: Parcel) -> Outgoing:
    """The mail with its headers and files, the same for each attempt.

    Raises ValueError when an address or a header cannot be one: nothing that has lines gets into a header.
    """
    subject = " ".join(letter.subject.split()) or SUBJECTS[sender.language]
    name = " ".join(sender.name.split())
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=sender.address)
    message["To"] = Address(addr_spec=letter.to)
    message["Reply-To"] = Address(name, addr_spec=addresses.address(letter.token))
    message["Subject"] = f"[#{letter.ticket}] {subject}"
    message["Date"] = letter.written_at
    message["Message-ID"] = addresses.message_id(letter.token, letter.message)
    if letter.former:
        message["In-Reply-To"] = letter.former[-1]
        message["References"] = " ".join(letter.former[-REFERENCES_MAX:])
    text = framed(letter.text, name, letter.ticket, sender.language, parcel.linked)
    message.set_content(text, cte="base64")
    return outgoing(message, f"=_{letter.message.hex}", parcel.enclosed)
