"""Faults of tickets, with the title of the check that must catch each."""

from __future__ import annotations

import orjson

from checker.rows import TicketRow
from tests.checker.planted import Planted
from tests.checker.plants import Fault, repeat

FILLED_IN, OPENED, WAITS, CLOSED, REOPENED, RENAMED, LAST, ANOTHER = range(8)
"""The changes that the story's agent makes."""


def change_told(number: int, **fields: object) -> Fault:
    """A change that was told says something else."""
    return lambda planted: planted.change("messages", _told(planted)[number], **fields)


def lose_told(number: int) -> Fault:
    """A change was not told."""
    return lambda planted: planted.topics["messages"].pop(_told(planted)[number])


def tell_again(number: int, **fields: object) -> Fault:
    """A change is told twice, the second time with something else in it."""

    def plant(planted: Planted) -> None:
        repeat("messages", _told(planted)[number])(planted)
        planted.change("messages", -1, **fields)

    return plant


def open_otherwise(**fields: object) -> Fault:
    """The first ticket that opens by itself says something else."""

    def plant(planted: Planted) -> None:
        planted.change("messages", planted.index("messages", _is_by_itself), **fields)

    return plant


def refuse_ticket(planted: Planted) -> None:
    """That a ticket is closed was refused, though it is told."""
    number = planted.index("outcomes", lambda value: value["result"].get("status") == "closed")
    record = planted.topics["outcomes"][number]
    planted.topics["outcomes"][number] = record._replace(
        headers=(record.headers[0], ("ce_type", b"tongdai.outcomes.refused.v1")),
        value=orjson.dumps(record.json() | {"code": "unknown_ticket"}),
    )


def say_otherwise(ticket: object) -> Fault:
    """The answer wanted something else of the ticket than what is told."""
    return lambda planted: planted.change(
        "actions",
        planted.index("actions", lambda value: bool(value.get("ticket")) and "text" in value),
        ticket=ticket,
    )


def change_kept(status: str, number: int, /, **fields: object) -> Fault:
    """The first row of this status and number holds something else."""
    return lambda planted: planted.change_row(TicketRow, _row(planted, status, number), **fields)


def lose_kept(status: str, number: int) -> Fault:
    """The first row of this status and number is gone."""
    return lambda planted: planted.tables[TicketRow].pop(_row(planted, status, number))


def _is_by_itself(value: dict[str, object]) -> bool:
    return "former_status" in value and value["by"] is None


def _told(planted: Planted) -> list[int]:
    """Which records of messages are changes by an agent."""
    values = (record.json() for record in planted.topics["messages"])
    return [number for number, value in enumerate(values) if "former_status" in value and value["by"]]


def _row(planted: Planted, status: str, number: int) -> int:
    rows = planted.tables[TicketRow]
    return next(place for place, row in enumerate(rows) if (row.status, row.number) == (status, number))


_FOLLOWS, _CAUSED = "each change of a ticket follows", "each change of a ticket by somebody"
_KEPT, _ANSWERED = "tickets count 1, 2, 3", "each ticket that an action has made or changed"
CASES: dict[str, tuple[Fault, str]] = {
    "change of a ticket not told": (lose_told(WAITS), _FOLLOWS),
    "change of a ticket told twice": (tell_again(WAITS), _CAUSED),
    "ticket told twice though nothing changes": (tell_again(ANOTHER, former_status="open"), _FOLLOWS),
    "ticket was something else": (change_told(CLOSED, former_status="open"), _FOLLOWS),
    "ticket was told before it was told": (change_told(FILLED_IN, former_status="open"), _FOLLOWS),
    "ticket made by nobody": (change_told(ANOTHER, by=None), _FOLLOWS),
    "ticket made closed": (change_told(ANOTHER, status="closed"), _FOLLOWS),
    "ticket closed by itself": (change_told(CLOSED, by=None), _FOLLOWS),
    "closed ticket opens by itself, and no e-mail has come": (change_told(REOPENED, by=None), _FOLLOWS),
    "closed ticket waits": (change_told(REOPENED, status="pending"), _FOLLOWS),
    "ticket given to another by hand": (change_told(WAITS, agent="ghost"), _FOLLOWS),
    "ticket became a draft": (change_told(WAITS, status="draft"), _FOLLOWS),
    "ticket gets its subject by itself": (open_otherwise(subject="?"), _FOLLOWS),
    "ticket gets fields by itself": (open_otherwise(fields={"nguon": "zalo"}), _FOLLOWS),
    "ticket opened by itself in somebody's name": (open_otherwise(by="an"), _CAUSED),
    "ticket changed by another": (change_told(WAITS, by="ghost"), _CAUSED),
    "ticket changed at another time": (change_told(WAITS, at="2026-01-01T00:00:00.000Z"), _CAUSED),
    "ticket says other than its action": (change_told(WAITS, fields={"so-luong": 4}), _CAUSED),
    "another ticket than that of the action": (change_told(WAITS, ticket=2), _CAUSED),
    "ticket changed by what was refused": (refuse_ticket, _CAUSED),
    "answer that wanted nothing of the ticket": (say_otherwise(None), _CAUSED),
    "answer that wanted another subject": (say_otherwise({"subject": "?"}), _CAUSED),
    "answer that wanted another field": (say_otherwise({"fields": {"nguon": "facebook"}}), _CAUSED),
    "answer that cleared a field": (say_otherwise({"fields": {"nguon": None}}), _CAUSED),
    "answer that opens a ticket": (change_told(FILLED_IN, status="open"), _CAUSED),
    "change of a ticket not told that nothing follows from": (lose_told(RENAMED), _ANSWERED),
    "ticket answered other than told": (change_told(RENAMED, subject="?"), _ANSWERED),
    "last change of a ticket not told": (lose_told(LAST), _KEPT),
    "ticket not told": (lose_told(ANOTHER), _KEPT),
    "ticket kept with another status": (change_kept("open", 1, status="pending"), _KEPT),
    "ticket kept with another subject": (change_kept("open", 2, subject="?"), _KEPT),
    "ticket kept with other fields": (change_kept("open", 1, fields='{"gap": true}'), _KEPT),
    "ticket kept for another agent": (change_kept("open", 1, agent="ghost"), _KEPT),
    "ticket not kept": (lose_kept("open", 2), _KEPT),
    "number of a ticket missing": (lose_kept("open", 1), _KEPT),
    "number of a draft missing": (change_kept("draft", 1, number=2), _KEPT),
    "draft filled in by nobody": (change_kept("draft", 1, subject="?"), _KEPT),
}
