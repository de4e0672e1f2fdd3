"""deadletter: a record that could not be understood, as it came, with the reason in its headers.

Key, value and headers are the original's, untouched; what is added are string headers that start with
`deadletter_` (the style of Kafka Connect), so that a replay is the original without them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.envelope import Headers

PREFIX = "deadletter_"
DETAIL_BYTES_MAX = 2_000

Reason = Literal[
    "unreadable_envelope",  # ce_type is missing or not of this topic
    "unknown_type",  # ce_type names nothing we know
    "unreadable",  # the value is not what its schema says
    "wrong_key",  # the record's key is not that of its value
    "unknown_page",  # no workspace has connected this page
    "wrong_workspace",  # the page belongs to another workspace
    "foreign_page",  # the app that signed it may not speak for this page
    "unknown_message",  # a connector tells of an answer that nobody has asked it to carry
    "unknown_event",  # a channel sent something that its documentation does not know
    "not_a_reply",  # an e-mail to an address that leads into no ticket, or not any more
    "too_large",  # an event made from it would be larger than its topic takes
    "handler_failed",  # our code raised; a bug to be reported
]


class Deadletter(NamedTuple):
    """Why, and where it came from. Times in milliseconds since 1970."""

    reason: Reason
    detail: str
    worker: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int

    def headers(self) -> Headers:
        """The headers that are added to the original's."""
        detail = self.detail.encode()[:DETAIL_BYTES_MAX].decode(errors="ignore")
        fields = self._replace(detail=detail)._asdict()
        return [(PREFIX + name, str(value).encode()) for name, value in fields.items()]
