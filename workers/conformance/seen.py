"""One record of a connector, as it lies on its topic or in a file, and what can be read of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.catalogue import RECORDS
from schemas.envelope import Kind, UnreadableEnvelopeError, header, read_kind
from schemas.ids import conversation_key, message_id_text, page_id
from schemas.inbound import InboundUtterance

TOPIC = "inbound"
EARLIEST_MS = 1_000_000_000_000
"""September 2001: a time below is one in seconds, not in milliseconds."""
PLACE_FIELDS = ("channel", "account", "user")


class Seen:
    """A record, and what its key, headers and value say, each as far as it can be read.

    Args:
        place: where it is, for people: `3-1207`, or `line 4`.
        partition, offset: where it lies; none: not known, as in a file.
        timestamp_ms: when the broker took it, in milliseconds since 1970; none: not known.
        topic: on which it is, by its short name.
    """

    def __init__(
        self,
        place: str,
        key: bytes | None,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        *,
        partition: int | None = None,
        offset: int | None = None,
        timestamp_ms: int | None = None,
        topic: str = TOPIC,
    ) -> None:
        self.place = place
        self.key = key
        self.value = value
        self.headers = headers
        self.partition = partition
        self.offset = offset
        self.timestamp_ms = timestamp_ms
        self._topic = topic

    def header(self, name: str) -> str | None:
        """The first header of this name as text."""
        found = header(self.headers, name)
        return None if found is None else found.decode(errors="replace")

    @cached_property
    def kind(self) -> Kind | None:
        """Of the kinds of its topic the one that its type names."""
        try:
            kind = read_kind(self.headers, self._topic)
        except UnreadableEnvelopeError:
            return None
        return kind if kind in RECORDS else None

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The value's fields, right or wrong; empty when it is no JSON object."""
        try:
            value = orjson.loads(self.value)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}

    @cached_property
    def errors(self) -> Sequence[ErrorDetails]:
        """What the schema of its kind has against the value; of an unknown kind nothing is known."""
        if self.kind is None:
            return ()
        try:
            RECORDS[self.kind].model_validate_json(self.value)
        except ValidationError as error:
            return error.errors(include_url=False, include_context=False, include_input=False)
        return ()

    @property
    def page(self) -> str | None:
        """The page that the value names, when it names one."""
        channel, account = self.fields.get("channel"), self.fields.get("account")
        return page_id(channel, account) if isinstance(channel, str) and isinstance(account, str) else None

    @property
    def true_key(self) -> str | None:
        """The key that a record of this value has."""
        place = [self.fields.get(name) for name in PLACE_FIELDS]
        return conversation_key(*map(str, place)) if all(isinstance(each, str) for each in place) else None

    @property
    def message(self) -> tuple[str, str] | None:
        """Page and id of the message, of a record that says one."""
        id_ = self.fields.get("channel_message_id")
        if not self.says or self.page is None or not isinstance(id_, str):
            return None
        return self.page, id_

    @property
    def message_id(self) -> str | None:
        """The id that it has in the transcript."""
        return None if self.message is None else message_id_text(*self.message)

    @property
    def answer(self) -> str:
        """Of which answer it tells, on receipts; empty: of none."""
        return str(self.fields.get("message") or "").lower()

    @property
    def says(self) -> bool:
        """Whether it is something that is stored in a transcript."""
        return self.kind is not None and issubclass(RECORDS[self.kind], InboundUtterance)

    @property
    def content(self) -> bytes:
        """What is said, by whom, without what a second try may say otherwise."""
        said = {name: self.fields.get(name) for name in ("user", "text", "attachments", "payload")}
        return orjson.dumps([self.kind and self.kind.what, said], option=orjson.OPT_SORT_KEYS)

    @property
    def sent_at_ms(self) -> int | None:
        """The channel's own time, when it is a number."""
        sent_at_ms = self.fields.get("sent_at_ms")
        return sent_at_ms if isinstance(sent_at_ms, int) and not isinstance(sent_at_ms, bool) else None

    @property
    def is_right(self) -> bool:
        """Whether intake can read it."""
        return self.kind is not None and not self.errors and self.key == (self.true_key or "").encode()
