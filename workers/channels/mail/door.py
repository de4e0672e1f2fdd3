"""The door for replies: a mail server posts each as it came, signed, and it becomes a line of its ticket.

The signature is the mail server's; to which ticket a mail belongs is said by the signed token in the address
that it goes to, or in the Message-ID that it answers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Pool

from config.mail import MailSettings
from schemas import inbound
from schemas.base import Json
from schemas.ids import channel_of, message_id_text
from schemas.receipts import Outreach
from workers.channels.channel import RECEIVED, Item, Refused, Skipped
from workers.channels.mail.address import BadTokenError, ReplyAddresses
from workers.channels.mail.bounce import Bounce
from workers.channels.mail.enclosed import Enclosing
from workers.channels.mail.reading import Mail, UnreadableMailError, read_mail
from workers.channels.mail.signature import SIGNATURE, signature
from workers.channels.outreach.places import Place, place_of_ticket
from workers.channels.problem import DatabaseDownError, MalformedError, WrongSignatureError, WrongTokenError
from workers.channels.signature import same
from workers.files.files import Files
from workers.runtime.postgres import DATABASE_ERRORS

CHANNEL_MESSAGE_ID = "mail/{}"
RETRY_AFTER_S = 5.0


class MailDoor:
    """Replies as a channel: see workers.channels.channel.Channel.

    Args:
        settings: with a key of the door.
        pool: where it is looked up what a ticket's conversation is.
        files: where attachments are kept; none: they are named only.
    """

    name = "mail"
    takes_queries = False
    acknowledgement = RECEIVED

    def __init__(self, settings: MailSettings, pool: Pool, files: Files | None = None) -> None:
        self._key = "" if settings.door_key is None else settings.door_key.get_secret_value()
        self._addresses = ReplyAddresses(settings)
        self._pool = pool
        self._enclosing = Enclosing(files, pool)
        self.body_limit_bytes = settings.body_limit_bytes

    def challenge(self, query: Mapping[str, str]) -> str:
        """There is no handshake. Raises WrongTokenError."""
        del query
        raise WrongTokenError("Mails are posted here.")

    def open(self, headers: Mapping[str, str], body: bytes) -> Json:
        """See Channel.open: the mail as it came. Raises WrongSignatureError, MalformedError."""
        if not same(headers.get(SIGNATURE, ""), signature(self._key, body)):
            raise WrongSignatureError(f"{SIGNATURE} is not that of the body.")
        if not body:
            raise MalformedError("The body is no mail: it is empty.")
        return body

    async def complete(self, document: Json) -> Json:
        """The mail that was opened, with the ticket that it belongs to, its files being kept, or why to none.

        Raises MalformedError, and DatabaseDownError or OverloadedError: it is to be sent again.
        """
        try:
            mail = await asyncio.to_thread(read_mail, document)
        except UnreadableMailError as error:
            raise MalformedError(f"The body is no mail that can be read: {error}.") from error
        if mail.bounce is not None:
            message, place = await self._bounced(mail.bounce)
            return {"mail": mail, "place": place, "message": message, "why": "", "body": document}
        place, why = await self._place(mail)
        record = None if place is None else await self._record(mail, place, document)
        return {"mail": mail, "place": place, "why": why, "record": record}

    def items(self, document: Json) -> Iterator[Item]:
        """See Channel.items, of a document that was completed."""
        mail: Mail = document["mail"]
        place: Place | None = document["place"]
        if mail.bounce is not None and place is not None:
            yield _bounced(place, document["message"], mail.bounce)
        elif mail.automatic:
            yield Skipped("automatic")
        elif place is None:
            yield Refused("not_a_reply", document["why"], _shown(mail), None)
        else:
            yield document["record"]

    async def _record(self, mail: Mail, place: Place, body: bytes) -> inbound.Mail:
        """The message that it becomes. Raises DatabaseDownError, OverloadedError."""
        record = _record(mail, place, body)
        message = message_id_text(record.page, record.channel_message_id)
        try:
            attachments = await self._enclosing.keep(message, place, mail.attached)
        except DATABASE_ERRORS as error:
            raise _database_down() from error
        return record.model_copy(update={"attachments": attachments})

    async def _place(self, mail: Mail) -> tuple[Place | None, str]:
        """Where it belongs, by the first of its tokens that is good; none: why the last one is not."""
        why = "it is addressed to no ticket, and answers no mail of one"
        if mail.automatic:
            return None, why
        for token in dict.fromkeys(self._addresses.tokens(mail.addressed, mail.named)):
            try:
                ticket = self._addresses.ticket(token, datetime.now(UTC))
            except BadTokenError as error:
                why = str(error)
                continue
            place = await self._place_of(ticket)
            if place is not None:
                return place, ""
            why = "nothing was ever sent about the ticket to which the address leads"
        return None, why

    async def _bounced(self, bounce: Bounce) -> tuple[UUID | None, Place | None]:
        """Which mail of ours it is, and where it belongs; its Message-ID is signed by us."""
        for token, message in self._addresses.messages(bounce.named):
            try:
                ticket = self._addresses.ticket(token, datetime.now(UTC))
            except BadTokenError:
                continue
            if place := await self._place_of(ticket):
                return message, place
        return None, None

    async def _place_of(self, ticket: UUID) -> Place | None:
        try:
            return await place_of_ticket(self._pool, ticket)
        except DATABASE_ERRORS as error:
            raise _database_down() from error


def _database_down() -> DatabaseDownError:
    return DatabaseDownError("Postgres does not answer. Send it again.", retry_after_s=RETRY_AFTER_S)


def _whose(place: Place) -> dict[str, Any]:
    channel = channel_of(place.key)
    account, user = place.key.removeprefix(f"{channel}:").split(":", 1)
    return {"channel": channel, "account": account, "user": user, "workspace": place.workspace}


def _bounced(place: Place, message: UUID, bounce: Bounce) -> Outreach:
    said = {"message": str(message), "reason": bounce.reason}
    return Outreach(**_whose(place), raw=said, message=message, state="failed", reason=bounce.reason)


def _record(mail: Mail, place: Place, body: bytes) -> inbound.Mail:
    known_by = mail.id.encode() or body
    return inbound.Mail(
        **_whose(place),
        # Of its Message-ID, however long and whatever is in it: a mail that comes twice is one.
        channel_message_id=CHANNEL_MESSAGE_ID.format(hashlib.sha256(known_by).hexdigest()),
        sent_at_ms=mail.sent_at_ms,
        text=mail.text or None,
        ticket=place.ticket,
        sender=mail.sender,
        subject=mail.subject,
    )


def _shown(mail: Mail) -> dict[str, Any]:
    """What operators see of a mail that belongs nowhere: they may answer it by hand."""
    return {"from": mail.sender, "to": mail.addressed, "subject": mail.subject, "text": mail.text}
