"""Whatever the real intake makes of tickets passes the checker."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import orjson
import pytest

from checker.facts.asks import asks_on
from checker.facts.letters import Letters
from checker.facts.outcomes import Outcomes
from checker.invariants.answered import AnsweredCheck
from checker.invariants.tickets import TicketsCheck
from checker.record import LogRecord
from checker.rows import TicketRow
from tests.checker.planted import Planted
from tests.intake.chat import KEY, USER, Chat, started
from tests.intake.in_memory import SILENCE_MS
from workers.runtime.batch import Record

AGENTS = ("lan", "minh", None)
"""None: a bot."""
CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"subject": "Đổi hàng"},
    {"subject": ""},
    {"fields": {"nguon": "zalo"}},
    {"fields": {"nguon": None, "gap": True}},
    {"fields": {"so": 1.5, "nguon": ""}},
)
FIELDS = (
    {"id": "nguon", "name": "Nguồn"},
    {"id": "gap", "name": "Gấp", "type": "yes_no"},
    {"id": "so", "name": "Số", "type": "number"},
)
STATUSES = (None, "open", "pending", "closed")
STEPS = 80


class Day:
    """Agents, a bot, the customer and the desk, as a seed wants it; several act in one moment."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.chat: Chat = started()
        self.chat.policy(ticket_fields=FIELDS)
        self.actions: list[Record] = []

    def play(self) -> None:
        """All of it."""
        steps = (self._act, self._act, self._act, self._desk, self._customer, self._silence)
        for _ in range(STEPS):
            self.random.choice(steps)()
            self.chat.log.wait(milliseconds=self.random.choice((0, 1)))
            if self.random.random() < 1 / 2:
                self._apply()
        self._apply()

    def _apply(self) -> None:
        batch = self.chat.log.batch()
        self.actions += [record for record in batch.records if record.topic == "actions"]
        assert not self.chat.intake.apply(batch.records).rejected

    def _act(self) -> None:
        by, change = self.random.choice(AGENTS), self.random.choice(CHANGES)
        act = partial(self.chat.log.act, USER, by=by, authority=self.random.choice(("agent", "admin")))
        match self.random.choice(("open_ticket", "edit_ticket", "edit_ticket", "say")):
            case "say":
                act(what="say", text="chào", ticket=self.random.choice((None, change)))
            case "open_ticket":
                act(what="open_ticket", **change)
            case _:
                number, status = self.random.randint(1, 5), self.random.choice(STATUSES)
                act(what="edit_ticket", ticket=number, status=status, **change)

    def _desk(self) -> None:
        """It goes to an agent, or is offered so that an answer waits."""
        self._apply()
        if self.random.random() < 1 / 3:
            self.chat.offered()
        else:
            self.chat.held_by(self.random.choice(("lan", "minh", "hoa")))

    def _customer(self) -> None:
        self._apply()
        self.chat.customer()

    def _silence(self) -> None:
        self._apply()
        log = self.chat.log
        log.wait(milliseconds=SILENCE_MS)
        log.session_timer(USER, self.chat.conversation.session, log.now_ms)


def told(chat: Chat, actions: list[Record]) -> Planted:
    """What is on the topics and in the table."""
    planted = Planted()
    planted.topics["actions"] = [
        LogRecord(one.lane, one.offset, one.timestamp_ms, one.key, one.value, tuple(one.headers))
        for one in actions
    ]
    for what, value in chat.intake.outcomes:
        planted.append("outcomes", value["actor"], what, value, 0)
    for what, value in chat.intake.told:
        planted.append("messages", KEY, what, value, 0)
    planted.tables[TicketRow] = [
        TicketRow(
            conversation,
            number,
            one.status,
            one.subject,
            orjson.dumps(one.fields).decode(),
            one.agent,
        )
        for (conversation, number), one in sorted(chat.intake.tickets.items())
    ]
    return planted


def check(planted: Planted) -> TicketsCheck:
    """What the checker says of tickets."""
    actions = list(asks_on("actions", planted.records("actions"), Letters(())))
    answered = AnsweredCheck(Outcomes(planted.records("outcomes")))
    answered.walk(actions)
    tickets = TicketsCheck(actions, answered.answers)
    assert len(list(tickets.watch(planted.records("messages")))) == len(planted.topics["messages"])
    tickets.walk(planted.rows(TicketRow))
    return tickets


@pytest.mark.parametrize("seed", range(20))
def test_whatever_intake_makes_of_tickets_passes(seed: int) -> None:
    day = Day(seed)
    day.play()
    tallies = check(told(day.chat, day.actions)).tallies
    assert [tally.witness for tally in tallies if tally.violated] == []
    assert all(tally.checked for tally in tallies)
