"""The messages topic, by conversation: a few bytes a line."""

from __future__ import annotations

from array import array

import orjson

from checker.record import Json, at_ms
from checker.rows import MessageRow


class Transcript:
    """The lines of one conversation as the topic has them; line 1 has index 0."""

    __slots__ = (
        *("blocked", "customer", "digests", "epochs", "key", "mentions", "messages", "partition", "reads"),
        *("seqs", "sessions"),
    )

    def __init__(self, key: str, partition: int) -> None:
        self.key = key
        self.partition = partition
        self.digests = array("q")
        self.messages = array("q")
        """Digests of their ids."""
        self.seqs = array("I")
        self.epochs = array("I")
        self.sessions = array("I")
        self.customer = bytearray()
        self.blocked: set[int] = set()
        """Positions of messages whose customer was kept out: as if he had not written them."""
        self.mentions: dict[int, tuple[str, ...]] = {}
        """Whom a note names beside its author, by its position."""
        self.reads: dict[str, int] = {}
        """How far each agent has read."""

    def __len__(self) -> int:
        return len(self.digests)

    def add(self, event: Json) -> None:
        """Append the next line."""
        self.digests.append(event_digest(event))
        self.messages.append(hash(event["message"]))
        self.seqs.append(event["seq"])
        self.epochs.append(event["epoch"])
        self.sessions.append(event["session"])
        # What is fetched afterwards is nobody's to read, and nobody is told of it; nor of who is kept out.
        is_told = not (event.get("history") or event.get("blocked"))
        self.customer.append(event["sender"] == "customer" and is_told)
        if event.get("blocked"):
            self.blocked.add(event["position"])
        if event["kind"] == "note" and event.get("mentions"):
            named = dict.fromkeys(event["mentions"])
            named.pop(event.get("sender_id"), None)
            self.mentions[event["position"]] = tuple(named)

    def has(self, position: int, message: str) -> bool:
        """Whether this message stands at this position."""
        return 0 < position <= len(self) and self.messages[position - 1] == hash(message)

    def read(self, event: Json) -> None:
        """An agent has read up to a position; that never goes back."""
        self.reads[event["agent"]] = max(self.reads.get(event["agent"], 0), event["position"])


Transcripts = dict[str, Transcript]
"""By conversation id."""


def event_digest(event: Json) -> int:
    """A digest of a `messages` event, equal to that of its row; valid in this process only."""
    sent_at = event.get("sent_at")
    return _digest(
        event["workspace"],
        event["conversation"],
        event["position"],
        event["message"],
        event["session"],
        event["sender"],
        event.get("sender_id"),
        event["kind"],
        event.get("text") or None,
        _canonical(event.get("attachments")),
        event.get("code"),
        _canonical(event.get("params")),
        event["page"],
        event.get("channel_message_id"),
        None if sent_at is None else at_ms(sent_at),
        event.get("clock_ahead", False),
        event.get("history", False),
        event.get("blocked", False),
        at_ms(event["stored_at"]),
        event["seq"],
    )


def row_digest(row: MessageRow) -> int:
    """A digest of a line of the table `message`."""
    attachments = None if row.attachments is None else _canonical(orjson.loads(row.attachments))
    params = None if row.params is None else _canonical(orjson.loads(row.params))
    return _digest(*row._replace(body=row.body or None, attachments=attachments, params=params))


def _digest(*fields: object) -> int:
    return hash(fields)


def _canonical(value: object) -> str | None:
    """JSON without what says nothing, keys in order."""
    if not value:
        return None
    return orjson.dumps(_bare(value), option=orjson.OPT_SORT_KEYS).decode()


def _bare(value: object) -> object:
    if isinstance(value, list):
        return [_bare(each) for each in value]
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if each is not None}
    return value
