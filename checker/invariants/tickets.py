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

OUTREACH = frozenset(("send_mail", "send_sms", "start_call"))
"""What reaches the customer by other means: it opens a draft, and changes no other ticket."""
SAYS = frozenset(("say", "start_chat"))
"""Messages, which may change a ticket."""
BY_HAND: dict[str | None, str] = {
    None: "draft open",
    "draft": "draft open pending closed",
    "open": "open pending closed",
    "pending": "pending open closed",
    "closed": "closed open",
}
BY_ITSELF: dict[str | None, str] = {
    "draft": "draft open",
    "open": "open",
    "pending": "pending",
    "closed": "open",
}
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
        self.answered = Tally(1, "each ticket that an action has made or changed is told as it was answered")
        self.kept = Tally(1, "tickets count 1, 2, 3, … and say what was told last; others are drafts")
        self._told: defaultdict[tuple[str, int], list[Stands]] = defaultdict(list)
        self._done: defaultdict[Key, deque[tuple[Ask, Json]]] = defaultdict(deque)
        found = ((ask, answers.get((ask.topic, ask.place))) for ask in asks if _may_change(ask))
        done = [(ask, outcome) for ask, outcome in found if outcome is not None and not outcome.code]
        for ask, outcome in sorted(done, key=lambda pair: pair[1].place):  # as they were done, not asked
            who = ask.by or ask.asker[2]
            self._done[ask.conversation, who, outcome.at_ms].append((ask, outcome.said))
        self._answers = [(ask, outcome.said) for ask, outcome in done if ask.what not in SAYS | OUTREACH]
        self._answered: tuple[str, int] | None = None
        """The ticket of the last e-mail or SMS that came: only such a one opens a closed ticket."""

    @property
    def tallies(self) -> list[Tally]:
        return [self.follows, self.caused, self.answered, self.kept]

    def watch(self, records: Iterable[LogRecord]) -> Iterator[LogRecord]:
        """Pass the records on."""
        for record in records:
            what = record.what("messages")
            if what == "ticket_changed":
                self._see(record, record.json())
            elif (
                what == "stored"
                and (line := record.json())["kind"] in {"mail", "sms"}
                and line["sender"] == "customer"
            ):
                self._answered = line["conversation"], line["params"]["ticket"]
            yield record

    def walk(self, rows: Iterable[TicketRow]) -> None:
        """Compare what was told with what was answered, and what was told last with the table."""
        for ask, said in self._answers:
            self._check_answer(ask, said)
        last = ("", 0)
        for row in rows:
            self.kept.checked += 1
            name = row.conversation, row.number
            told = self._told.pop(name, [DRAFT])[-1]
            found = Stands(row.status, row.subject, orjson.loads(row.fields), row.agent)
            if row.number != (last[1] + 1 if row.conversation == last[0] else 1):
                self.kept.fail((row.number,), f"conversation {name[0]}: ticket {name[1]} after {last}")
            if _known(found) != _known(told):
                self.kept.fail((row.number,), f"conversation {name[0]} has {row}, told was {told}")
            last = name
        for name, lost in self._told.items():
            self.kept.fail((name[1],), f"conversation {name[0]} has no ticket {name[1]}, told was {lost[-1]}")

    def _check_answer(self, ask: Ask, said: Json) -> None:
        """One that changed nothing says what was told before."""
        told = self._told.get((ask.conversation, said["ticket"]), [])
        answered = said["status"], said["subject"], said["fields"]
        is_told = answered in [stands[:3] for stands in (DRAFT, *told)]
        fault = "" if is_told else f"the answer {said} is nowhere told"
        self.answered.judge(ask.place[::-1], fault, f"{ask.what} at actions {shown(ask.place)}")

    def _see(self, record: LogRecord, event: Json) -> None:
        name, where = (event["conversation"], event["ticket"]), f"messages {shown(record.place)}"
        rank, now = (event["ticket"], record.offset), Stands(*(event[one] for one in Stands._fields))
        told = self._told[name]
        before = told[-1] if told else None
        self.follows.judge(rank, _fault(before, now, event, is_answered=name == self._answered), where)
        told.append(now)
        if event["by"] is not None:
            is_done = self._is_done(event, before or DRAFT, now)
            fault = "" if is_done else f"{event['by']} has done nothing of which it comes: {now}"
            self.caused.judge(rank, fault, where)

    def _is_done(self, event: Json, was: Stands, now: Stands) -> bool:
        """Whether one of the actions that are left makes it so; those before it have changed nothing."""
        left = self._done[event["conversation"], event["by"], at_ms(event["at"])]
        while left:
            ask, said = left.popleft()
            if said.get("ticket", event["ticket"]) == event["ticket"] and _made(ask, was) == now[:3]:
                return True
        return False


def _known(stands: Stands) -> Stands:
    return stands._replace(agent=None) if stands.status == "draft" else stands


def _fault(before: Stands | None, now: Stands, event: Json, *, is_answered: bool) -> str:
    was, by, former = before or DRAFT, event["by"], event["former_status"]
    if former not in ((before.status,) if before else (None, "draft")):
        return f"was {former}, told was {before}"
    if now.status not in (BY_ITSELF if by is None else BY_HAND).get(former, "").split():
        return f"{former} became {now.status}, by {by}"
    if by is None and (fault := _fault_by_itself(before, now, is_answered=is_answered)):
        return fault
    if by is not None and now.agent != was.agent and was.status != "draft":
        return f"{was} became {now}, by {by}"
    return f"{now} is told again" if now == before else ""


def _fault_by_itself(before: Stands | None, now: Stands, *, is_answered: bool) -> str:
    was = before or DRAFT
    if was.status == "closed" and not is_answered:
        return "closed became open, and no e-mail or SMS has come"
    if before is None and now.status == "draft":
        return "a draft that nobody has touched is told"
    return f"{was} became {now}, by itself" if now[1:3] != was[1:3] else ""


def _may_change(ask: Ask) -> bool:
    return ask.what in {"open_ticket", "edit_ticket"} | OUTREACH or (
        ask.what in SAYS and bool(ask.value.get("ticket"))
    )


def _made(ask: Ask, was: Stands) -> tuple[str, str, Json]:
    """What this action makes of the ticket: its status, subject and fields."""
    if ask.what in OUTREACH:
        return "open" if was.status == "draft" else was.status, was.subject, was.fields
    status = "open" if ask.what == "open_ticket" else ask.value.get("status")
    change = ask.value["ticket"] if ask.what in SAYS else ask.value
    subject, fields = change.get("subject"), was.fields | change.get("fields", {})
    kept = {name: value for name, value in fields.items() if value is not None and value != ""}
    return status or was.status, was.subject if subject is None else subject, kept
