"""The interface of a channel: verify, then turn each of its events into one inbound record or one refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

from pydantic import ValidationError

from schemas.base import Json
from schemas.deadletter import Reason
from schemas.inbound import InboundRecord
from workers.channels.fields import identifier

PROBLEMS_MAX = 10
"""Wrong fields named in one refusal."""


class Refused(NamedTuple):
    """An event that cannot become a record: it goes to deadletter."""

    reason: Reason
    detail: str
    """For a person; never the customer's text."""
    original: Json
    """A webhook with this event alone, to be sent again once the reason is gone."""
    key: str | None
    """The conversation's key, when the event names it."""


class Skipped(NamedTuple):
    """Nothing that concerns a conversation: counted, not kept."""

    event: str


Item = InboundRecord | Refused | Skipped
Pages = frozenset[str] | None
"""Accounts for which somebody may speak; none: for any."""


class Acknowledgement(NamedTuple):
    """What a platform is answered once Kafka has its events."""

    text: str
    media_type: str


RECEIVED = Acknowledgement("EVENT_RECEIVED", "text/plain")


class Channel(Protocol):
    """One channel's webhooks. It knows apps, by their secrets; it does not know pages."""

    @property
    def name(self) -> str:
        """As in `schemas.base.Channel`, and in the path."""

    @property
    def takes_queries(self) -> bool:
        """Whether events may come as the query of a GET, which is then opened like a form."""

    @property
    def acknowledgement(self) -> Acknowledgement:
        """What its platform wants to hear."""

    def challenge(self, query: Mapping[str, str]) -> str:
        """The answer to a GET that brings no event. Raises WrongTokenError, MalformedError."""

    def open(self, headers: Mapping[str, str], body: bytes) -> Json:
        """The body as JSON, once its signature over the raw bytes is known to be right.

        Raises WrongSignatureError, MalformedError, WrongObjectError.
        """

    def items(self, document: Json) -> Iterator[Item]:
        """Each event of an opened webhook, in its order. Raises nothing, whatever the document holds."""


class UnreadableError(ValueError):
    """An event lacks what a record needs; the text says what."""

    reason: ClassVar[Reason] = "unreadable"


class UnknownEventError(UnreadableError):
    """An event of a kind that the channel's documentation does not name."""

    reason = "unknown_event"


def refusal(error: UnreadableError | ValidationError, original: Json, key: str | None) -> Refused:
    """The refusal of an event: which fields are wrong and how, without their values."""
    if isinstance(error, UnreadableError):
        return Refused(error.reason, str(error), original, key)
    problems = error.errors(include_url=False, include_context=False, include_input=False)[:PROBLEMS_MAX]
    detail = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'event'}: {each['msg']}" for each in problems)
    return Refused("unreadable", detail, original, key)


def of_pages(item: InboundRecord | Refused, pages: Pages, original: Json) -> InboundRecord | Refused:
    """An event if who signed it may speak for its page, else its refusal."""
    if isinstance(item, Refused) or pages is None or item.account in pages:
        return item
    detail = f"the app that signed it has a list of its pages, and {item.page} is not on it"
    return Refused("foreign_page", detail, original, item.key)


def objects(value: Json, place: str) -> list[dict[str, Any]]:
    """A list of objects, empty when there is none. Raises UnreadableError when it is something else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise UnreadableError(f"{place}: is not a list of objects")
    return value


def required_object(value: Json, place: str) -> dict[str, Any]:
    """An object. Raises UnreadableError when it is missing or something else."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{place}: is not an object")
    return value


def required_id(value: Json, place: str) -> str:
    """An id as text. Raises UnreadableError when it is missing."""
    found = identifier(value)
    if found is None:
        raise UnreadableError(f"{place}: is missing")
    return found
