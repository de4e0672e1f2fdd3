"""Intake without its tables: what each batch does to conversations in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from schemas.definitions import Policy
from schemas.outbound import MeansName
from tests.intake.log import PAGE, SITE, WORKSPACE, key_of, lane_of, published
from workers.routing.intake.admission import Admission, Said, read_all
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.conversations import Conversations
from workers.routing.intake.customer import Customer
from workers.routing.intake.effects import Effects
from workers.routing.intake.given import Given, phones_in
from workers.routing.intake.greeting import AutoTexts
from workers.routing.intake.keywords import Keywords
from workers.routing.intake.marks import Marks
from workers.routing.intake.outcomes import Asker, Remembered
from workers.routing.intake.pages import SILENT, Owner, Owners
from workers.routing.intake.policies import DeskPolicies, DeskPolicy
from workers.routing.intake.rules import ReplyRules
from workers.routing.intake.ticket import Ticket
from workers.routing.intake.ticket_turns import TicketTurn
from workers.routing.intake.work import SessionEnding, SessionOpening, Work
from workers.runtime.batch import Batch, Record

OUTREACH = get_args(MeansName)
SILENCE_MS = 60_000


@dataclass
class KnownPages:
    """Of one workspace, without Postgres."""

    texts: AutoTexts = SILENT

    @property
    def owners(self) -> Owners:
        return {PAGE: Owner(WORKSPACE, "main", self.texts)}


class PageAndSite(KnownPages):
    """The same shop has a website."""

    @property
    def owners(self) -> Owners:
        return {**super().owners, SITE: Owner(WORKSPACE, "main", SILENT)}


class KnownPolicies(DeskPolicies):
    """One for every desk."""

    policy = Policy()

    def of(self, workspace: str, desk: str) -> DeskPolicy:
        after_s = self.policy.silent_after_s
        keywords = Keywords(self.policy.keyword_lists)
        after_ms = None if after_s is None else after_s * 1000
        return DeskPolicy(1, after_ms, keywords, self.policy.hours, self.policy.ticket_fields)


class KnownRules(ReplyRules):
    """Rules named `reply…` let a reply claim."""

    def reply_claims(self, workspace: str, desk: str, rule: str | None) -> bool:
        return rule is not None and rule.startswith("reply")


@dataclass
class Intake:
    """The handler without its tables."""

    conversations: Conversations = field(default_factory=lambda: Conversations(100))
    policies: KnownPolicies = field(default_factory=KnownPolicies)
    pages: KnownPages = field(default_factory=KnownPages)
    seen: set[str] = field(default_factory=set)
    customers: dict[str, Customer] = field(default_factory=dict)
    answers: dict[Asker, Remembered] = field(default_factory=dict)
    openings: list[SessionOpening] = field(default_factory=list)
    endings: list[SessionEnding] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What else was said on messages."""
    commands: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outcomes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    outreach: list[dict[str, Any]] = field(default_factory=list)
    marks: Marks = field(default_factory=dict)
    tickets: dict[tuple[str, int], Ticket] = field(default_factory=dict)
    ticket_turns: list[TicketTurn] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    """Ids of the messages that wait in the table."""

    def apply(self, records: Sequence[Record]) -> Batch:
        """Apply records in one batch."""
        batch = Batch("intake", records, [record.timestamp_ms for record in records])
        work = Work(batch)
        work.outcomes.know(self.answers.items())
        admission = Admission(self.conversations, lambda key: lane_of(key.decode()))
        owners = self.pages.owners
        admitted = [one for reading in read_all(work) if (one := admission.admit(work, reading, owners))]
        given = Given(self.policies, KnownRules(), self.seen, self.customers, self._quoted())
        given.phones = phones_in(one for one in admitted if isinstance(one, Said))
        given.marks = self.marks
        given.tickets = dict(self.tickets)
        Effects(self.conversations, silence_ms=SILENCE_MS).apply(work, admitted, given)
        self._keep(batch, work)
        return batch

    def of(self, user: str) -> tuple[list[dict[str, Any]], list[tuple[str, dict[str, Any]]]]:
        """What was stored, and what the desk was told, of one conversation."""
        stored = [value for value in self.stored if value["key"] == key_of(user)]
        return stored, [(what, value) for what, value in self.commands if value["key"] == key_of(user)]

    def find(self, user: str) -> Conversation | None:
        return self.conversations.get((WORKSPACE, key_of(user).encode()))

    def _quoted(self) -> dict[tuple[str, int], str | None]:
        return {
            (line["conversation"], line["position"]): line.get("channel_message_id")
            for line in self.stored
            if line["kind"] not in {"log", "note"}
        }

    def _keep(self, batch: Batch, work: Work) -> None:
        told = published(batch, "messages")
        stored = [value for what, value in told if what == "stored"]
        assert len(work.lines) == len(stored)
        self.stored += stored
        self.told += [(what, value) for what, value in told if what != "stored"]
        self.openings += work.openings
        self.endings += work.endings
        self.commands += published(batch, "commands")
        self.outcomes += published(batch, "outcomes")
        self.sent += [value for what, value in published(batch, "outbound") if what == "send"]
        self.outreach += [value for what, value in published(batch, "outbound") if what in OUTREACH]
        self.answers.update(work.outcomes.new)
        self.ticket_turns += work.ticket_turns
        self.tickets.update((name, ticket) for name, (_, ticket) in work.tickets.items())
        self.held |= {reply.message for _, reply in work.held}
        self.held -= {reply.message for _, reply in work.settled}
