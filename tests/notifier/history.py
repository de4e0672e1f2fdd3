"""An invented history of one conversation: what intake and the desk would have published, and what follows.

Intake and the desk run apart, as they do in life: a message names the chain number that intake has applied,
an event the position that intake had reached when it asked. The expected outcome is derived from the whole
history, without following it step by step as the notifier does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from schemas.assignments import (
    Assigned,
    Blocked,
    CareChanged,
    Cause,
    ChainEvent,
    Facts,
    Followed,
    Muted,
    Offered,
    Queued,
    Quieted,
    SessionClosed,
    SessionOpened,
    Standing,
    TransferEnded,
    Transferring,
    Unassigned,
    Unblocked,
    Unfollowed,
    Unmuted,
    Why,
)
from schemas.ids import conversation_id, message_id, notice_id
from schemas.messages import Read, Sender, Stored
from workers.notifier.conversation import Heard, Marked

WORKSPACE = "acme"
AGENTS = ("an", "binh", "chi")
BEGIN = datetime(2026, 11, 2, 8, tzinfo=UTC)


class Notified(NamedTuple):
    """What identifies a notice, apart from its unread count."""

    what: str
    notice: UUID
    agent: str
    seq: int
    epoch: int
    position: int


class Step(NamedTuple):
    """One event of the chain with its event id."""

    id: UUID
    event: ChainEvent


class Circle(NamedTuple):
    """Who is told of messages after some number of events, and who may accept a transfer."""

    followers: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    blocked: bool = False
    audience: str | None = None
    asked: frozenset[str] = frozenset()


@dataclass
class History:
    """One conversation's two logs; `sessions` gives the first position of each session."""

    user: str
    messages: list[Heard] = field(default_factory=list)
    reads: dict[int, list[Marked]] = field(default_factory=dict)
    """Read marks, by the number of messages that were published before them."""
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
        """Positions of the customer's messages, but those of while he was kept out."""
        messages = [heard.message for heard in self.messages]
        return [one.position for one in messages if one.sender == "customer" and not one.blocked]

    @property
    def transcript(self) -> list[Heard | Marked]:
        """What is on messages, in its order."""
        lines: list[Heard | Marked] = []
        for position, heard in enumerate(self.messages, 1):
            lines += [heard, *self.reads.get(position, ())]
        return lines

    def read(self, agent: str, position: int, *, seq: int, epoch: int) -> Marked:
        """`agent` has read up to `position`."""
        value = Read(
            workspace=WORKSPACE,
            desk="main",
            conversation=self.conversation,
            key=self.key,
            page="messenger:page-1",
            agent=agent,
            position=position,
            at=BEGIN + timedelta(seconds=len(self.messages)),
            seq=seq,
            epoch=epoch,
        )
        marks = self.reads.setdefault(len(self.messages), [])
        marks.append(Marked(uuid5(self.conversation, f"read {len(self.messages)}/{len(marks)}"), value))
        return marks[-1]

    def say(self, sender: Sender, *, seq: int, epoch: int, mentions: tuple[str, ...] = ()) -> Heard:
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
            sender_id=AGENTS[0] if sender == "agent" else None,
            kind="log" if sender == "system" else "note" if mentions else "text",
            mentions=mentions,
            text=None if sender == "system" else f"dòng {position}",
            code="assigned" if sender == "system" else None,
            stored_at=BEGIN + timedelta(seconds=position),
            seq=seq,
            epoch=epoch,
            blocked=sender == "customer" and self.circle(seq).blocked,
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
            previous=str(self.steps[-1].id) if self.steps else None,
            epoch=epoch,
            round=1,
            session=more.pop("session", len(self.sessions)),
            after_position=after_position,
            at=BEGIN + timedelta(seconds=after_position, milliseconds=500),
            standing="held" if holder else _STANDINGS.get(event) or _left(last),
            holder=holder,
            care=more.pop("care", "accepted" if holder else "waiting" if epoch else "new"),
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
        said = {"former_holder": former, "why": _WHY} | more
        self.decide(Assigned, holder=holder, after_position=after_position, **said)

    def queue(self, *, after_position: int, **more: object) -> None:
        """Add a `queued` event."""
        waits = {"queued_at": BEGIN, "queued_offset": 0, "passed_over": {}}
        rule = {"rule": "rule-1", "rule_version": 1}
        self.decide(Queued, holder=None, after_position=after_position, **rule, **waits, **more)

    def unassign(self, how: str, *, after_position: int, **more: object) -> None:
        """Add an `unassigned` event: its holder has it no more."""
        former = self.steps[-1].event.holder
        self.decide(
            Unassigned, holder=None, after_position=after_position, former_holder=former, how=how, **more
        )

    def offer(self, audience: str, *, after_position: int, **more: object) -> None:
        """Add an `offered` event."""
        self.decide(
            Offered, holder=None, after_position=after_position, audience=audience, unrouted=False, **more
        )

    def circle(self, seq: int) -> Circle:
        """After the first `seq` events."""
        circle = Circle()
        for step in self.steps[:seq]:
            circle = _widened(circle, step.event)
        return circle

    def expected(self) -> set[Notified]:
        """Every notice to an agent that the two logs give rise to, apart from read marks."""
        return self._personal() | self._messages() | self._mentions()

    def expected_announcements(self) -> list[tuple[str, str, int]]:
        """Every offer and withdrawal: what it is, its audience, and the number of its event."""
        found = []
        for step in self.steps:
            was, now = self.circle(step.event.seq - 1).audience, self.circle(step.event.seq).audience
            if was is not None and was != now:
                found.append(("withdrawn", was, step.event.seq))
            if isinstance(step.event, Offered):
                found.append(("offered", step.event.audience, step.event.seq))
        return found

    def expected_unread(self, agent: str) -> int:
        """The customer's messages that `agent` has not read, if he holds or follows it in the end."""
        if agent not in self.expected_live():
            return 0
        read_to = max(self._read_tos(agent))
        return sum(position > read_to for position in self.customer_positions)

    def expected_live(self) -> frozenset[str]:
        """Who holds or follows it in the end."""
        return self._live(len(self.steps))

    def expected_count(self) -> tuple[set[str], int] | None:
        """The places where it is counted in the end, and the unread messages there."""
        if not self.steps:
            return None
        holder, audience = self.steps[-1].event.holder, self.circle(len(self.steps)).audience
        if holder is not None:
            return {"held", f"agent:{holder}"}, self.expected_unread(holder)
        sessions = [self.messages[position - 1].message.session for position in self.customer_positions]
        unread = sessions.count(sessions[-1]) if sessions else 0
        return {"unheld", *([audience] if audience else [])}, unread

    def _live(self, seq: int) -> frozenset[str]:
        holder = self.steps[seq - 1].event.holder if seq else None
        return self.circle(seq).followers | ({holder} if holder else frozenset())

    def _read_tos(self, agent: str) -> Iterator[int]:
        """What `agent` has read or need not read: each mark, and each time when he began to be told."""
        yield 0
        for marks in self.reads.values():
            yield from (marked.read.position for marked in marks if marked.read.agent == agent)
        for step in self.steps:
            match step.event:
                case Assigned(holder=holder) if holder == agent:
                    yield self.sessions[step.event.session - 1] - 1
                case Followed(agent=who) if who == agent and agent not in self._live(step.event.seq - 1):
                    yield step.event.after_position

    def _personal(self) -> set[Notified]:
        """What an event is told for in person: being given it, losing it, transfers, care."""
        found = set()
        for step in self.steps:
            event = step.event
            before = self.steps[event.seq - 2].event.holder if event.seq > 1 else None
            was, now = self.circle(event.seq - 1), self.circle(event.seq)
            told: dict[str, str] = {}
            if isinstance(event, CareChanged) and event.holder and event.by != f"agent:acme/{event.holder}":
                told[event.holder] = "care_changed"
            if was.asked and not now.asked:
                told |= dict.fromkeys({*was.asked, str(before)}, "transfer_ended")
            told |= dict.fromkeys(was.asked - now.asked, "transfer_ended")
            told |= dict.fromkeys(now.asked - was.asked, "transfer_offered")
            accepted = isinstance(event, Assigned) and event.why.method == "transfer" and was.asked
            if before is not None and before != event.holder and not accepted:
                told[before] = "unassigned"
            if isinstance(event, Assigned):
                told[str(event.holder)] = "assigned"
            found |= {self._notified(what, step.id, event, agent) for agent, what in told.items()}
        return found

    def _messages(self) -> set[Notified]:
        found = set()
        for heard in self.messages:
            message = heard.message
            chain, circle = [step.event for step in self.steps[: message.seq]], self.circle(message.seq)
            if message.sender != "customer" or not chain or circle.blocked:
                continue
            given = [event for event in chain if isinstance(event, Assigned)]
            for agent in circle.followers - circle.muted:
                if agent != chain[-1].holder or message.position > given[-1].after_position:
                    found.add(self._notified("message", heard.id, chain[-1], agent, message.position))
        return found

    def _mentions(self) -> set[Notified]:
        return {
            Notified("mention", notice_id(heard.id, f"acme/{agent}"), agent, m.seq, m.epoch, m.position)
            for heard in self.messages
            for m in (heard.message,)
            for agent in m.mentions
            if agent != m.sender_id
        }

    def _notified(self, what: str, cause: UUID, event: ChainEvent, agent: str, position: int = 0) -> Notified:
        if what == "assigned":
            before = (p for p in self.customer_positions if p <= event.after_position)
            position = max(before, default=0)
        notice = notice_id(cause, f"{WORKSPACE}/{agent}")
        return Notified(what, notice, agent, event.seq, event.epoch, position)


def _widened(circle: Circle, event: ChainEvent) -> Circle:
    """The circle after one more event."""
    if event.standing != "offered":
        circle = circle._replace(audience=None)
    if event.holder is None or isinstance(event, (Assigned, TransferEnded, SessionClosed)):
        circle = circle._replace(asked=frozenset())
    followers, muted = circle.followers, circle.muted
    changes: dict[str, Any] = {}
    match event:
        case Assigned(holder=str(agent)):
            changes = {"followers": followers | {agent}, "muted": muted - {agent}}
        case Unassigned(how="refused", former_holder=agent) | Unfollowed(agent=agent):
            changes = {"followers": followers - {agent}}
        case Followed(agent=agent):
            changes = {"followers": followers | {agent}}
        case Muted(agent=agent) | Unmuted(agent=agent):
            changes = {"muted": muted | {agent} if isinstance(event, Muted) else muted - {agent}}
        case Blocked() | Unblocked():
            changes = {"blocked": isinstance(event, Blocked)}
        case Offered(audience=audience):
            changes = {"audience": audience}
        case Transferring(agents=agents):
            changes = {"asked": frozenset(agents)}
    return circle._replace(**changes)


_STANDINGS: dict[type[ChainEvent], Standing] = {
    Offered: "offered",
    Queued: "queued",
    Unassigned: "idle",
    Quieted: "idle",
}


def _left(last: ChainEvent | None) -> Standing:
    """How a conversation without holder stands after an event that says nothing of it."""
    return last.standing if last is not None and last.holder is None else "idle"


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
        happenings = [
            *(self.speak, self.speak, self.speak, self.decide, self.decide, self.arrange, self.transfer),
            *(self.apply, self.apply, self.apply, self.read, self.note, self.end),
        ]
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
        elif choice < 0.85:
            self.history.queue(**where) if holder is None else self.history.unassign(
                self.dice.choice(("released", "refused")), by="agent:acme/x", **where
            )
        elif choice < 0.92 and holder is None:
            self.history.offer(self.dice.choice(("rule:r/0", "rule:r/1", "page:messenger:page-1")), **where)
        else:
            facts: dict[str, Any] = {"ended_by": "silence", "customer_messages": 1, "agent_messages": 0}
            self.history.decide(SessionClosed, holder=holder, **facts, **where)

    def arrange(self) -> None:
        """Somebody follows, mutes, blocks, or changes the care status."""
        if self.asked == 0 or not self.history.steps:
            return
        holder, agent = self.history.steps[-1].event.holder, self.dice.choice((*AGENTS, "dung"))
        event = self.dice.choice((Followed, Unfollowed, Muted, Unmuted, Blocked, Unblocked, CareChanged))
        more: dict[str, Any] = {"agent": agent}
        if event in (Blocked, Unblocked):
            more = {"until": None, "by": "agent:acme/an", "command": "k"}
        elif event is CareChanged:
            more = {"former_care": "accepted", "by": f"agent:acme/{agent}"}
        self.history.decide(
            event, holder=holder, after_position=self.asked, session=self.asked_session, **more
        )

    def transfer(self) -> None:
        """Its holder offers it, or the offer ends; sometimes somebody accepts."""
        last = self.history.steps[-1].event if self.history.steps else None
        if last is None or last.holder is None:
            return
        where = {"after_position": self.asked, "session": self.asked_session}
        asked = self.history.circle(last.seq).asked
        others = [agent for agent in (*AGENTS, "dung") if agent != last.holder]
        if asked and self.dice.random() < 0.5:
            how = self.dice.choice(("rejected", "expired", "cancelled"))
            self.history.decide(TransferEnded, holder=last.holder, how=how, **where)
        elif asked and self.dice.random() < 0.5:
            why = _WHY.model_copy(update={"method": "transfer"})
            self.history.assign(self.dice.choice(sorted(asked)), why=why, **where)
        else:
            offered: dict[str, Any] = {
                "to_agent": None,
                "to_department": "d",
                "by": f"agent:acme/{last.holder}",
            }
            agents = self.dice.sample(others, 2)
            self.history.decide(
                Transferring,
                holder=last.holder,
                agents=agents,
                command="k",
                expires_at=BEGIN,
                **offered,
                **where,
            )

    def read(self) -> None:
        """Somebody has read up to somewhere: mostly the end."""
        end = len(self.history.messages)
        position = end if self.dice.random() < 0.6 else self.dice.randint(1, end)
        epoch = self.history.steps[self.applied - 1].event.epoch if self.applied else 0
        self.history.read(self.dice.choice((*AGENTS, "dung")), position, seq=self.applied, epoch=epoch)

    def note(self) -> None:
        """An agent writes to colleagues."""
        if self.session_open:
            self._say("agent", mentions=tuple(self.dice.sample((*AGENTS, "dung"), 2)))

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

    def _say(self, sender: Sender, mentions: tuple[str, ...] = ()) -> None:
        epoch = self.history.steps[self.applied - 1].event.epoch if self.applied else 0
        self.history.say(sender, seq=self.applied, epoch=epoch, mentions=mentions)
