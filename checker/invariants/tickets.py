"""Invariant 1 for tickets: each change has its cause and fits the last one, and the table says the same."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from checker.facts.asks import Ask
from checker.invariants.answered import Answers
from checker.record import Json, LogRecord, at_ms, shown
from checker.report import Tally
from checker.rows import TicketRow

BY_HAND: dict[str | None, str] = {
    None: "draft open",
    "draft": "draft open pending closed",
    "open": "open pending closed",
    "pending": "pending open closed",
    "closed": "closed open",
}
BY_ITSELF: dict[str | None, str] = {"draft": "open", "open": "open", "pending": "pending"}
"""What people make of each, and what comes by itself; none: it was not there before."""


class Stands(NamedTuple):
    """What is told of a ticket. Its agent comes last: who is given a draft is not told."""

    status: str
    subject: str
    fields: Json
    agent: str | None


DRAFT = Stands("draft", "", {}, None)
Key = tuple[str, str, int]
"""Conversation, in whose name, and when."""


class TicketsCheck:
    """Watches messages while others read them, then the table."""

    def __init__(self, asks: Iterable[Ask], answers: Answers) -> None:
        self.follows = Tally(1, "each change of a ticket follows the one before, as it may")
        self.caused = Tally(1, "each change of a ticket by somebody is of an action of his, one of each")
        self.kept = Tally(1, "tickets count 1, 2, 3, … and say what was told last; others are drafts")
        self._told: dict[tuple[str, int], Stands] = {}
        self._done: defaultdict[Key, deque[tuple[Ask, Json]]] = defaultdict(deque)
        found = ((ask, answers.get((ask.topic, ask.place))) for ask in asks if _may_change(ask))
        done = [(ask, outcome) for ask, outcome in found if outcome is not None and not outcome.code]
        for ask, outcome in sorted(done, key=lambda pair: pair[1].place):  # as they were done, not asked
            who = ask.by or ask.asker[2]
            self._done[ask.conversation, who, outcome.at_ms].append((ask, outcome.said))

    @property
    def tallies(self) -> list[Tally]:
        return [self.follows, self.caused, self.kept]

    def watch(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Pass the records on."""
        for record in records:
            if record.what("messages") == "ticket_changed":
                self._see(record, record.json())
            yield record

    def walk(self, rows: Iterable[TicketRow]) -> None:
        """Compare the table with what was told last."""
        last = ("", 0)
        for row in rows:
            self.kept.checked += 1
            name = row.conversation, row.number
            told = self._told.pop(name, DRAFT)
            found = Stands(row.status, row.subject, orjson.loads(row.fields), row.agent)
            if row.number != (last[1] + 1 if row.conversation == last[0] else 1):
                self.kept.fail((row.number,), f"conversation {name[0]}: ticket {name[1]} after {last}")
            if _known(found) != _known(told):
                self.kept.fail((row.number,), f"conversation {name[0]} has {row}, told was {told}")
            last = name
        for name, told in self._told.items():
            self.kept.fail((name[1],), f"conversation {name[0]} has no ticket {name[1]}, told was {told}")

    def _see(self, record: LogRecord, event: Json) -> None:
        name, where = (event["conversation"], event["ticket"]), f"messages {shown(record.place)}"
        self.follows.checked += 1
        now = Stands(*(event[one] for one in Stands._fields))
        if fault := _fault(self._told.get(name), now, event):
            self.follows.fail((event["ticket"], record.offset), f"{where}: {fault}")
        self._told[name] = now
        if event["by"] is not None:
            self.caused.checked += 1
            if not self._is_done(event):
                fault = f"{event['by']} has done nothing of which it comes: {now}"
                self.caused.fail((event["ticket"], record.offset), f"{where}: {fault}")

    def _is_done(self, event: Json) -> bool:
        """Whether one of the actions that are left says it; those before it have changed nothing."""
        left = self._done[event["conversation"], event["by"], at_ms(event["at"])]
        while left:
            if _says(*left.popleft(), event):
                return True
        return False


def _known(stands: Stands) -> Stands:
    return stands._replace(agent=None) if stands.status == "draft" else stands


def _fault(before: Stands | None, now: Stands, event: Json) -> str:
    was, by, former = before or DRAFT, event["by"], event["former_status"]
    if former not in ((before.status,) if before else (None, "draft")):
        return f"was {former}, told was {before}"
    if now.status not in (BY_ITSELF if by is None else BY_HAND).get(former, "").split():
        return f"{former} became {now.status}, by {by}"
    if by is None and now[1:3] != was[1:3]:
        return f"{was} became {now}, by itself"
    return f"{now} is told again" if now == before else ""


def _may_change(ask: Ask) -> bool:
    return ask.what in {"open_ticket", "edit_ticket"} or (ask.what == "say" and bool(ask.value.get("ticket")))


def _says(ask: Ask, said: Json, event: Json) -> bool:
    """Whether the ticket is told as this action, which was done, leaves it."""
    if ask.what != "say":
        return all(said[name] == event[name] for name in ("ticket", "status", "subject", "fields"))
    change, fields = ask.value["ticket"], event["fields"]
    wanted = {name: None if value == "" else value for name, value in change.get("fields", {}).items()}
    return (
        event["status"] == (event["former_status"] or "draft")
        and change.get("subject") in (None, event["subject"])
        and all(fields.get(name) == value for name, value in wanted.items())
    )
