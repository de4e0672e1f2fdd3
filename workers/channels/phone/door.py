"""The door for callbacks: providers post each signed, and it becomes a record of its conversation."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from asyncpg import Pool
from pydantic import ValidationError

from config.phone import PhoneAccount, PhoneSettings
from schemas import inbound
from schemas.base import Json
from schemas.ids import parts_of_key
from schemas.receipts import Outreach
from workers.channels.channel import RECEIVED, Item, Refused, Skipped, refusal
from workers.channels.document import parse_document
from workers.channels.outreach.places import Place, place_of_message, place_of_number
from workers.channels.phone.callback import CALLBACK, KINDS, Callback, SmsReceived
from workers.channels.phone.signature import SIGNATURE, is_signed
from workers.channels.problem import (
    DatabaseDownError,
    MalformedError,
    WrongSignatureError,
    WrongTokenError,
)
from workers.runtime.postgres import DATABASE_ERRORS

CHANNEL_MESSAGE_ID = "sms/{}"
RETRY_AFTER_S = 5.0


class PhoneDoor:
    """The accounts whose providers may call back.

    Args:
        settings: with accounts.
        pool: where it is looked up whose SMS and calls these were.
    """

    def __init__(self, settings: PhoneSettings, pool: Pool) -> None:
        self._accounts = {account.name: account for account in settings.accounts}
        self._pool = pool

    def at(self, account: str) -> PhoneCaller:
        """Whoever posts to the address that ends with `account`."""
        return PhoneCaller(self._accounts.get(account), self._pool)


class _Completed(NamedTuple):
    """A callback, with the place that it is about, if there is one."""

    said: dict[str, Any]
    callback: Callback | None
    place: Place | None
    error: ValidationError | None = None


class PhoneCaller:
    """One account's provider as a channel: see workers.channels.channel.Channel.

    Args:
        account: none: the settings know no such one.
        pool: see PhoneDoor.
    """

    name = "phone"
    takes_queries = False
    acknowledgement = RECEIVED

    def __init__(self, account: PhoneAccount | None, pool: Pool) -> None:
        self._account = account
        self._pool = pool

    def challenge(self, query: Mapping[str, str]) -> str:
        """There is no handshake. Raises WrongTokenError."""
        del query
        raise WrongTokenError("Callbacks are posted here.")

    def open(self, headers: Mapping[str, str], body: bytes) -> Json:
        """See Channel.open. Raises WrongSignatureError, MalformedError."""
        key = "" if self._account is None else self._account.callback_key.get_secret_value()
        if not is_signed(key, body, headers.get(SIGNATURE, ""), time.time()) or self._account is None:
            raise WrongSignatureError(f"{SIGNATURE} is not that of the body, or too old.")
        document = parse_document(body)
        if not isinstance(document, dict):
            raise MalformedError("The body is not a JSON object.")
        return document

    async def complete(self, document: Json) -> Json:
        """The callback that was opened, with the ticket that it is about, if there is one.

        Raises DatabaseDownError: it is to be sent again.
        """
        kind = document.get("type")
        if not isinstance(kind, str) or kind not in KINDS:
            return _Completed(document, None, None)
        try:
            callback = CALLBACK.validate_python(document)
        except ValidationError as error:
            return _Completed(document, None, None, error)
        try:
            return _Completed(document, callback, await self._place(callback))
        except DATABASE_ERRORS as error:
            sentence = "Postgres does not answer. Send it again."
            raise DatabaseDownError(sentence, retry_after_s=RETRY_AFTER_S) from error

    def items(self, document: Json) -> Iterator[Item]:
        """See Channel.items, of a document that was completed. What other systems do there is skipped."""
        completed: _Completed = document
        said, callback, place, error = completed
        if error is not None:
            yield refusal(error, said, None)
        elif callback is None:
            yield Skipped("unknown_callback")
        elif place is not None:
            yield _record(callback, place, said)
        elif isinstance(callback, SmsReceived):
            why = "nothing was ever sent to its number from that one"
            yield Refused("not_a_reply", why, said, None)
        else:
            yield Skipped("not_ours")

    async def _place(self, callback: Callback) -> Place | None:
        assert self._account is not None  # noqa: S101 - it was opened
        account = self._account.name
        if isinstance(callback, SmsReceived):
            return await place_of_number(self._pool, account, callback.to, callback.sender)
        return await place_of_message(self._pool, account, *callback.place)


def _record(callback: Callback, place: Place, said: dict[str, Any]) -> inbound.Sms | Outreach:
    channel, account, user = parts_of_key(place.key)
    whose: dict[str, Any] = {
        "channel": channel,
        "account": account,
        "user": user,
        "workspace": place.workspace,
        "sent_at_ms": callback.at_ms,
    }
    if isinstance(callback, SmsReceived):
        # Of the provider's id, whatever is in it: an SMS that is posted twice is one.
        known_by = hashlib.sha256(f"{callback.to}/{callback.id}".encode()).hexdigest()
        return inbound.Sms(
            **whose,
            channel_message_id=CHANNEL_MESSAGE_ID.format(known_by),
            text=callback.text,
            ticket=place.ticket,
            sender=callback.sender,
        )
    state, reason = callback.became
    return Outreach(
        **whose,
        raw=said,
        message=callback.place[1],
        state=state,
        reason=reason,
        duration_s=callback.duration_s,
        provider_id=callback.id,
    )
