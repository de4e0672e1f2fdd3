"""Which events an endpoint is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.topics import ASSIGNMENTS, MESSAGES, ROSTER, Topic
from schemas.catalogue import RECORDS
from schemas.envelope import Kind

# Outcomes answer the calls of one sender, and notifications are other topics' events told to single agents.
TOPICS: dict[str, Topic] = {topic.name: topic for topic in (ASSIGNMENTS, MESSAGES, ROSTER)}
"""What consumers are told: who answers whom, what is said, who works here."""

EVENTS: tuple[str, ...] = (
    *TOPICS,
    *(f"{kind.topic}.{kind.what}" for kind in RECORDS if kind.topic in TOPICS),
)
"""What can be chosen: a whole topic, with the kinds that it will have one day, or one kind of it."""


def topics_of(events: Sequence[str]) -> list[str]:
    """The topics that hold these events, in the order of `TOPICS`."""
    named = {event.partition(".")[0] for event in events}
    return [topic for topic in TOPICS if topic in named]


def wants(events: frozenset[str], kind: Kind) -> bool:
    """Whether who chose `events` is told of this kind."""
    return kind.topic in events or f"{kind.topic}.{kind.what}" in events


def is_private(kind: Kind, data: dict[str, Any]) -> bool:
    """Whether nobody outside is told: notes are for people, as everywhere."""
    return kind == Kind("messages", "stored") and data.get("kind") == "note"
