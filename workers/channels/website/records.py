"""What a visitor says, as records for Kafka. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from schemas.base import rfc3339
from schemas.ids import conversation_key, page_id, parts_of_key
from schemas.inbound import Attachment, InboundRecord, Left, Message, Postback, Profile, Returned
from schemas.receipts import Arrival
from workers.channels import fields
from workers.channels.website.identity import Visitor
from workers.channels.website.said import Press, Say, Seen, Shares, Where

CHANNEL: Literal["web"] = "web"
GONE_MAX = timedelta(days=31)


class Guest(NamedTuple):
    """A visitor of a site, and what his browser tells of itself."""

    site: str
    visitor: Visitor
    language: str = ""

    @property
    def key(self) -> str:
        """The key of his conversation."""
        return conversation_key(CHANNEL, self.site, self.visitor.user)

    @property
    def page(self) -> str:
        """The id of the page."""
        return page_id(CHANNEL, self.site)

    def message_id(self, id_: str) -> str:
        """The channel's id of his message: nobody can take another visitor's."""
        return f"{self.visitor.user}/{id_}"


def record_of(
    guest: Guest, said: Say | Press | Seen, where: Where | None, files: Sequence[Attachment] = ()
) -> InboundRecord:
    """The record of one thing that he said; `files`: those that it names, as they are kept."""
    who: dict[str, Any] = {"channel": CHANNEL, "account": guest.site, "user": guest.visitor.user}
    raw = {"said": said.model_dump(mode="json", exclude={"text": True, "shares": {"name", "phone", "email"}})}
    if where is not None:
        raw["where"] = where.model_dump()
    match said:
        case Seen():
            ids = tuple(str(each) for each in said.messages)
            return Arrival(**who, raw=raw, state=said.state, channel_message_ids=ids)
        case Say():
            utterance = _utterance(guest, said, fields.text(said.text or None))
            return Message(**who, **utterance, attachments=tuple(files), raw=raw)
        case Press():
            return Postback(**who, **_utterance(guest, said, said.title), payload=said.title, raw=raw)


def profile_of(guest: Guest, shares: Shares) -> Profile | None:
    """The record of what he tells of himself; none: he tells nothing. Nobody vouches for it."""
    told = shares.told
    if not told:
        return None
    raw = {"shares": guest.message_id(shares.id)}
    return Profile(channel=CHANNEL, account=guest.site, user=guest.visitor.user, raw=raw, **told)


def arrival(key: str) -> Returned:
    """The record of a visitor who is there, and was nowhere before."""
    _, account, user = parts_of_key(key)
    return Returned(channel=CHANNEL, account=account, user=user, raw={"at": rfc3339(datetime.now(UTC))})


def departure(key: str, left_at: datetime, ago: timedelta) -> Left:
    """The record of a visitor who has been nowhere since `left_at`; the same when it is told again.

    What he said last may reach Kafka a moment after he left, so he is not said to be gone for all that time.
    """
    _, account, user = parts_of_key(key)
    return Left(
        channel=CHANNEL,
        account=account,
        user=user,
        gone_ms=min(ago / 2, GONE_MAX) // timedelta(milliseconds=1),
        raw={"left_at": rfc3339(left_at)},
    )


def _utterance(guest: Guest, said: Say | Press, text: str | None) -> dict[str, Any]:
    return {
        "channel_message_id": guest.message_id(said.id),
        "sent_at_ms": said.at_ms,
        "text": text,
        "customer_name": guest.visitor.name,
        "language": guest.language or None,
    }
