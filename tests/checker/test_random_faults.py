"""One fault at any place of a clean history is seen by a check that is meant for it.

What nobody can see is left out, each with its reason: see `may_be_lost`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from checker.record import LogRecord
from tests.checker.planted import Planted
from tests.checker.plants import clean
from tests.checker.test_planted_faults import violated

LOST = {
    "actions": ("each outcome is of something asked",),
    "assignments": ("each chain counts", "folding assignments gives"),
    "commands": ("each outcome is of", "each event of a chain was caused", "each roster event was caused"),
    "deadletter": ("each unreadable or refused",),
    "inbound": (
        "each message in the transcript was sent",
        "each unreadable or refused",
        "each record in a wrong",
    ),
    "messages": (
        *("the messages topic says", "each mark of reading", "each return of a customer", "tickets count"),
        *("each change of a ticket", "each ticket that an action"),
    ),
    "notifications": ("the table of notices", "each offer is told", "each time a page is paused"),
    "outbound": ("each message of an agent is once on outbound",),
    "outcomes": ("each command and each action",),
    "receipts": (
        *("an answer is delivered or read", "the table of deliveries", "each answer that delivery"),
        "each time a page is paused",
    ),
    "roster": ("folding roster gives",),
}
"""Which checks must see that a record of a topic was lost: one of them."""
TWICE = ("each event appears once", "each unreadable or refused")
OTHER_ORDER = {"assignments": ("each chain counts",), "messages": ("on the messages topic each line",)}
"""Of records of one conversation. Elsewhere the order is told by what they name, or is free."""
OTHER = {
    "assignments": (
        ("seq", "previous", "epoch", "round", "holder", "standing", "care", "session"),
        (
            *(
                "each chain counts",
                "the epoch rises",
                "each event of a chain fits",
                "folding assignments gives",
            ),
            *("no agent", "the next round begins", "the care status goes", "each session is opened once"),
        ),
    ),
    "messages": (
        ("position", "message", "session", "sender", "kind", "text", "page", "stored_at", "seq"),
        ("the messages topic says", "on the messages topic each line"),
    ),
    "notifications": (
        ("notice", "agent", "conversation", "seq", "epoch", "unread"),
        ("the table of notices",),
    ),
    "outbound": (("message", "position", "text", "conversation"), ("each message of an agent is once",)),
    "outcomes": (("actor", "idempotency_key", "command"), ("each outcome is of something asked",)),
    "roster": (("version",), ("folding roster gives",)),
}
"""Fields of a topic's records, and which checks must see that one says something else."""
HISTORY = clean()


class Plant(NamedTuple):
    """A fault: which record of which topic; for `reordered` the second one too, for `changed` the field."""

    fault: str
    topic: str
    number: int
    other: int
    field: str
    seen_by: tuple[str, ...]

    def into(self, planted: Planted) -> None:
        """Plant it."""
        records = planted.topics[self.topic]
        record = records[self.number]
        match self.fault:
            case "lost":
                records.pop(self.number)
            case "doubled":
                records.append(record._replace(offset=planted.ends(self.topic)[record.partition]))
            case "reordered":
                other = records[self.other]
                records[self.number] = other._replace(offset=record.offset)
                records[self.other] = record._replace(offset=other.offset)
            case "changed":
                planted.change(self.topic, self.number, **{self.field: _other(record.json()[self.field])})


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 7
        case str() if value[:4].isdecimal() and "T" in value:
            return "2026-01-01T00:00:00.000Z"
        case _:
            return f"{value}, but otherwise"


def plants() -> Iterator[Plant]:
    """Every fault that somebody must see."""
    for topic, records in HISTORY.topics.items():
        for number, record in enumerate(records):
            if not may_be_lost(topic, record):
                yield Plant("lost", topic, number, 0, "", LOST[topic])
            if topic != "inbound" and record.what(topic) != "arrival":
                yield Plant("doubled", topic, number, 0, "", TWICE)
            if topic in OTHER_ORDER and (other := _next(topic, number)):
                yield Plant("reordered", topic, number, other, "", OTHER_ORDER[topic])
            fields, seen_by = OTHER.get(topic, ((), ()))
            is_told = topic not in {"messages", "notifications"} or _is_kept(topic, record)
            for field in fields if is_told else ():
                if field in record.json():
                    yield Plant("changed", topic, number, 0, field, seen_by)


def may_be_lost(topic: str, record: LogRecord) -> bool:
    """Whether its loss leaves nothing by which it could be seen."""
    value, what = ({} if topic in {"deadletter", "inbound"} else record.json()), record.what(topic)
    match topic, what:
        case "inbound", _:  # a copy of it is there
            return sum(one.value == record.value for one in HISTORY.topics["inbound"]) > 1
        case "notifications", "conversation_changed" | "read":  # changes that cancel each other out need none
            return True
        case "receipts", "delivery":  # what lies between two that are told need not be
            return bool(value["version"] < max(map(_version, HISTORY.topics["receipts"])))
    return False


def _version(record: LogRecord) -> int:
    return int(record.json().get("version", 0))


def _is_kept(topic: str, record: LogRecord) -> bool:
    """Lines and personal notices stand in a table, too; that he has read is told an agent only in passing."""
    if topic == "messages":
        return record.what(topic) == "stored"
    return "audience" not in record.json() and record.what(topic) != "read"


def _next(topic: str, number: int) -> int | None:
    """The next record of the same kind in the same conversation; of chains of any kind."""
    records = HISTORY.topics[topic]
    ours = records[number]
    for other in range(number + 1, len(records)):
        if records[other].key == ours.key:
            both = {ours.what(topic), records[other].what(topic)}
            return other if topic == "assignments" or both == {"stored"} else None
    return None


PLANTS = list(plants())


def test_all_topics_and_faults_are_among_them() -> None:
    assert {plant.topic for plant in PLANTS} == set(HISTORY.topics)
    assert {plant.fault for plant in PLANTS} == {"lost", "doubled", "reordered", "changed"}


@settings(max_examples=120, deadline=None)
@given(plant=st.sampled_from(PLANTS))
def test_a_fault_anywhere_is_seen_by_a_check_that_is_meant_for_it(plant: Plant) -> None:
    planted = HISTORY.copy()
    plant.into(planted)
    found = violated(planted.check())
    assert [title for title in found if title.startswith(plant.seen_by)], found
