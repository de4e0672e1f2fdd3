"""The door for replies: a mail server posts each as it came, signed, and it becomes a line of its ticket.

The signature is the mail server's; to which ticket a mail belongs is said by the signed token in the address
that it goes to, or in the Message-ID that it answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from asyncpg import Pool

from config.mail import MailSettings
from schemas import inbound
from schemas.base import Json
from schemas.ids import message_id_text, parts_of_key
from schemas.receipts import Outreach
from workers.channels.channel import RECEIVED, Item, Refused, Skipped
from workers.channels.mail.address import BadTokenError, ReplyAddresses
from workers.channels.mail.bounce import Bounce
from workers.channels.mail.enclosed import Enclosing
from workers.channels.mail.head import Head, UnreadableMailError
from workers.channels.mail.opener import Opener
from workers.channels.mail.reading import Content
from workers.channels.mail.signature import SIGNATURE, signature
from workers.channels.outreach.places import Place, place_of_ticket
from workers.channels.problem import DatabaseDownError, MalformedError, WrongSignatureError, WrongTokenError
from workers.channels.signature import same
from workers.files.files import Files
from workers.runtime.postgres import DATABASE_ERRORS

CHANNEL_MESSAGE_ID = "mail/{}"
NAMED_MAX = 20
"""Mails of which a report may tell."""
REPORT_BYTES_MAX = 262_144
"""So far in a report the mail is sought of which it tells."""
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
        self._opener = Opener()
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
        """What the mail that was opened becomes, its files being kept.

        Nothing but its head is read, and for a person the words with which it begins, until a token of ours
        has said that it belongs to a ticket: anybody may write to the address.

        Raises MalformedError, and DatabaseDownError or OverloadedError: it is to be sent again.
        """
        try:
            return {"item": await self._item(document)}
        except UnreadableMailError as error:
            raise MalformedError(f"The body is no mail that can be read: {error}.") from error

    def items(self, document: Json) -> Iterator[Item]:
        """See Channel.items, of a document that was completed."""
        yield document["item"]

    async def _item(self, body: bytes) -> Item:
        head = await self._opener.head(body)
        if head.automatic:
            return (head.report and await self._bounced(body)) or Skipped("automatic")
        place, why = await self._place(head)
        if place is None:
            return Refused("not_a_reply", why, _shown(head, await self._opener.beginning(body)), None)
        return await self._record(head, place, body)

    async def _record(self, head: Head, place: Place, body: bytes) -> inbound.Mail:
        """The message that it becomes. Raises UnreadableMailError, DatabaseDownError, OverloadedError."""
        content = await self._opener.content(body)
        record = _record(head, content, place, body)
        message = message_id_text(record.page, record.channel_message_id)
        try:
            attachments = await self._enclosing.keep(message, place, content.attached)
        except DATABASE_ERRORS as error:
            raise _database_down() from error
        return record.model_copy(update={"attachments": attachments})

    async def _place(self, head: Head) -> tuple[Place | None, str]:
        """Where it belongs, by the first of its tokens that is good; none: why the last one is not."""
        why = "it is addressed to no ticket, and answers no mail of one"
        for token in dict.fromkeys(self._addresses.tokens(head.addressed, head.named)):
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

    async def _bounced(self, body: bytes) -> Outreach | None:
        """What a report tells of a mail of ours. Only one that names such a mail is read at all."""
        start = body[:REPORT_BYTES_MAX].decode("latin-1")
        if await self._mail(start) is None:
            return None
        bounce = (await self._opener.content(body)).bounce
        found = None if bounce is None else await self._mail(bounce.named)
        return None if found is None or bounce is None else _bounced(*found, bounce)

    async def _mail(self, named: str) -> tuple[Place, UUID] | None:
        """The first mail of ours that is named, and where it belongs: its Message-ID is signed by us."""
        for token, message in islice(self._addresses.messages(named), NAMED_MAX):
            try:
                ticket = self._addresses.ticket(token, datetime.now(UTC))
            except BadTokenError:
                continue
            if place := await self._place_of(ticket):
                return place, message
        return None

    async def _place_of(self, ticket: UUID) -> Place | None:
        try:
            return await place_of_ticket(self._pool, ticket)
        except DATABASE_ERRORS as error:
            raise _database_down() from error


def _database_down() -> DatabaseDownError:
    return DatabaseDownError("Postgres does not answer. Send it again.", retry_after_s=RETRY_AFTER_S)


def _whose(place: Place) -> dict[str, Any]:
    channel, account, user = parts_of_key(place.key)
    return {"channel": channel, "account": account, "user": user, "workspace": place.workspace}


def _bounced(place: Place, message: UUID, bounce: Bounce) -> Outreach:
    said = {"message": str(message), "reason": bounce.reason}
    return Outreach(**_whose(place), raw=said, message=message, state="failed", reason=bounce.reason)


def _record(head: Head, content: Content, place: Place, body: bytes) -> inbound.Mail:
    known_by = head.id.encode() or body
    return inbound.Mail(
        **_whose(place),
        # Of its Message-ID, however long and whatever is in it: a mail that comes twice is one.
        channel_message_id=CHANNEL_MESSAGE_ID.format(hashlib.sha256(known_by).hexdigest()),
        sent_at_ms=head.sent_at_ms,
        text=content.text or None,
        ticket=place.ticket,
        sender=head.sender,
        subject=head.subject,
    )


def _shown(head: Head, words: str) -> dict[str, Any]:
    """What operators see of a mail that belongs nowhere: they may answer it by hand."""
    return {"from": head.sender, "to": head.addressed, "subject": head.subject, "text": words}
