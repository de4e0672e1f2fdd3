"""An invented history of one conversation: what intake and the desk would have published, and what follows.

Intake and the desk run apart, as they do in life: a message names the chain number that intake has applied,
an event the position that intake had reached when it asked. The expected outcome is derived from the whole
history, without following it step by step as the notifier does.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from schemas.assignments import (
    Assigned,
    Cause,
    ChainEvent,
    Facts,
    Queued,
    SessionClosed,
    SessionOpened,
    Why,
)
from schemas.ids import conversation_id, message_id, notice_id
from schemas.messages import Sender, Stored
from workers.notifier.conversation import Heard

WORKSPACE = "acme"
AGENTS = ("an", "binh", "chi")
BEGIN = datetime(2026, 11, 2, 8, tzinfo=UTC)


class Notified(NamedTuple):
    """What identifies a notice, apart from its unread count."""

    notice: UUID
    agent: str
    seq: int
    epoch: int
    position: int


class Step(NamedTuple):
    """One event of the chain with its event id."""

    id: UUID
    event: ChainEvent


@dataclass
class History:
    """One conversation's two logs; `sessions` gives the first position of each session."""

    user: str
    messages: list[Heard] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"messenger:page-1:{self.user}"

    @property
    def conversation(self) -> UUID:
        return conversation_id(self.key)

    @property
    def customer_positions(self) -> list[int]:
        """Positions of the customer's messages."""
        return [heard.message.position for heard in self.messages if heard.message.sender == "customer"]

    def say(self, sender: Sender, *, seq: int, epoch: int) -> Heard:
        """Add the next line of the transcript."""
        position = len(self.messages) + 1
        message = Stored(
            workspace=WORKSPACE,
            desk="main",
            conversation=self.conversation,
            key=self.key,
            page="messenger:page-1",
            channel="messenger",
            message=message_id("messenger:page-1", f"{self.user}-{position}"),
            position=position,
            session=len(self.sessions),
            sender=sender,
            kind="log" if sender == "system" else "text",
            text=None if sender == "system" else f"dòng {position}",
            code="assigned" if sender == "system" else None,
            stored_at=BEGIN + timedelta(seconds=position),
            seq=seq,
            epoch=epoch,
        )
        id_ = uuid5(self.conversation, f"message {position}")
        self.messages.append(Heard(id_, message, message.model_dump_json().encode()))
        return self.messages[-1]

    def decide(
        self, event: type[ChainEvent], *, holder: str | None, after_position: int, **more: object
    ) -> None:
        """Add the next event of the chain."""
        last = self.steps[-1].event if self.steps else None
        epoch = (last.epoch if last else 0) + (event is Assigned)
        seq = len(self.steps) + 1
        value = event(
            workspace=WORKSPACE,
            desk="main",
            conversation=self.conversation,
            key=self.key,
            page="messenger:page-1",
            seq=seq,
            previous=self.steps[-1].id if self.steps else None,
            epoch=epoch,
            round=1,
            session=more.pop("session", len(self.sessions)),
            after_position=after_position,
            at=BEGIN + timedelta(seconds=after_position, milliseconds=500),
            standing="held" if holder else "queued",
            holder=holder,
            care="accepted" if holder else "new",
            cause=Cause(partition=0, offset=seq),
            **more,
        )
        self.steps.append(Step(uuid5(self.conversation, f"event {seq}"), value))

    def open(self, holder: str | None, *, after_position: int, **more: object) -> None:
        """Add a `session_opened` event."""
        facts = Facts(channel="messenger")
        self.decide(SessionOpened, holder=holder, after_position=after_position, facts=facts, **more)

    def assign(self, holder: str, *, after_position: int, **more: object) -> None:
        """Add an `assigned` event."""
        former = self.steps[-1].event.holder if self.steps else None
        self.decide(
            Assigned, holder=holder, after_position=after_position, former_holder=former, why=_WHY, **more
        )

    def queue(self, *, after_position: int, **more: object) -> None:
        """Add a `queued` event."""
        waits = {"queued_at": BEGIN, "queued_offset": 0, "passed_over": {}}
        rule = {"rule": "rule-1", "rule_version": 1}
        self.decide(Queued, holder=None, after_position=after_position, **rule, **waits, **more)

    def expected(self) -> set[Notified]:
        """Every notice that the two logs give rise to."""
        return self._assigned() | self._messages()

    def expected_unread(self) -> tuple[str | None, int]:
        """The last holder, and the customer's messages since the session in which he was given it began."""
        given = [step.event for step in self.steps if isinstance(step.event, Assigned)]
        if not given or self.steps[-1].event.holder is None:
            return None, 0
        first = self.sessions[given[-1].session - 1]
        return given[-1].holder, sum(position >= first for position in self.customer_positions)

    def expected_agents(self) -> set[str]:
        """Everybody who ever held it."""
        return {step.event.holder for step in self.steps if step.event.holder is not None}

    def _assigned(self) -> set[Notified]:
        return {
            self._notified(
                step.id,
                step.event,
                max((p for p in self.customer_positions if p <= step.event.after_position), default=0),
            )
            for step in self.steps
            if isinstance(step.event, Assigned)
        }

    def _messages(self) -> set[Notified]:
        found = set()
        for heard in self.messages:
            message = heard.message
            chain = [step.event for step in self.steps[: message.seq]]
            if message.sender != "customer" or not chain or chain[-1].holder is None:
                continue
            given = [event for event in chain if isinstance(event, Assigned)][-1]
            if message.position > given.after_position:
                event = chain[-1]
                found.add(self._notified(heard.id, event, message.position))
        return found

    def _notified(self, cause: UUID, event: ChainEvent, position: int) -> Notified:
        holder = str(event.holder)
        return Notified(notice_id(cause, f"{WORKSPACE}/{holder}"), holder, event.seq, event.epoch, position)


_WHY = Why(
    method="round_robin",
    rule="rule-1",
    rule_version=1,
    cursor_before=None,
    cursor_after=None,
    eligible=1,
    passed_over={},
    candidates=(),
)


def invent(seed: int, user: str, length: int) -> History:
    """A history of `length` happenings: people speak, sessions open and end, holders change.

    What the desk decides reaches intake later, or much later.
    """
    return _Inventor(random.Random(seed), History(user)).run(length)


class _Inventor:
    """Plays intake and the desk. `asked` is the position that the desk knows of, `applied` intake's `seq`."""

    def __init__(self, dice: random.Random, history: History) -> None:
        self.dice = dice
        self.history = history
        self.applied = 0
        self.asked = 0
        self.asked_session = 0
        self.session_open = False

    def run(self, length: int) -> History:
        happenings = [self.speak, self.speak, self.speak, self.decide, self.apply, self.apply, self.end]
        self.speak()
        for _ in range(length):
            self.dice.choice(happenings)()
        while self.applied < len(self.history.steps):
            self.apply()
        return self.history

    def speak(self) -> None:
        sender: Sender = self.dice.choice(("customer", "customer", "customer", "bot", "agent"))
        if not self.session_open:
            sender = "customer"
            self.session_open = True
            self.history.sessions.append(len(self.history.messages) + 1)
        self._say(sender)
        if self.dice.random() < 0.7:
            self._ask()

    def decide(self) -> None:
        """The desk answers what it was asked."""
        holder = self.history.steps[-1].event.holder if self.history.steps else None
        where = {"after_position": self.asked, "session": self.asked_session}
        choice = self.dice.random()
        if self.asked == 0:
            return
        if choice < 0.5:
            self.history.assign(self.dice.choice([a for a in AGENTS if a != holder]), **where)
        elif choice < 0.8:
            self.history.open(holder, **where)
        elif choice < 0.9:
            self.history.queue(**where)
        else:
            facts: dict[str, Any] = {"ended_by": "silence", "customer_messages": 1, "agent_messages": 0}
            self.history.decide(SessionClosed, holder=holder, **facts, **where)

    def apply(self) -> None:
        """Intake takes the next event and writes its log line."""
        if self.applied < len(self.history.steps):
            self.applied += 1
            self._say("system")

    def end(self) -> None:
        if self.dice.random() < 0.3:
            self.session_open = False

    def _ask(self) -> None:
        self.asked = len(self.history.messages)
        self.asked_session = len(self.history.sessions)

    def _say(self, sender: Sender) -> None:
        epoch = self.history.steps[self.applied - 1].event.epoch if self.applied else 0
        self.history.say(sender, seq=self.applied, epoch=epoch)
