"""All checks in an order in which each topic and table is read once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.asks import Ask, asks_on
from checker.facts.commands import Commands
from checker.facts.desk_log import DeskLogs
from checker.facts.history import History
from checker.facts.letters import Letters
from checker.facts.outcomes import Outcomes
from checker.facts.own_sent import OwnSent
from checker.facts.roster import roster_events
from checker.invariants.answered import AnsweredCheck, Answers
from checker.invariants.answers import check_answers, check_causes, check_sessions
from checker.invariants.chain import ChainCheck
from checker.invariants.deliveries import DeliveriesCheck
from checker.invariants.heard import HeardCheck
from checker.invariants.inbound import InboundCheck
from checker.invariants.inboxes import check_counters, check_inboxes
from checker.invariants.lag import check_held_back, check_lag, check_lanes
from checker.invariants.ledger import Ledger, LedgerCheck
from checker.invariants.lines import LinesCheck, check_acts
from checker.invariants.messages import MessagesCheck
from checker.invariants.notices import NoticesCheck
from checker.invariants.once import Once
from checker.invariants.page_notices import PageNoticesCheck
from checker.invariants.projections import check_desk, check_followers, check_roster
from checker.invariants.races import check_replies
from checker.invariants.readers import ReadersCheck
from checker.invariants.replay import Replay
from checker.invariants.returns import ReturnsCheck, check_returns
from checker.invariants.seen import SeenCheck
from checker.invariants.tickets import TicketsCheck
from checker.invariants.transcript import TranscriptCheck
from checker.record import LogRecord
from checker.report import Report, Tally
from checker.rows import (
    ConversationRow,
    CounterRow,
    DefinitionRow,
    DeliveryRow,
    DeskConversationRow,
    HeldRow,
    InboxRow,
    MessageRow,
    NoticeRow,
    NotifierRow,
    PageRow,
    SessionRow,
    TicketRow,
)
from checker.source import Source


class Came(NamedTuple):
    """What came in, and what channels said of what went out."""

    letters: Letters
    deliveries: DeliveriesCheck
    pages: PageNoticesCheck
    own: OwnSent
    inbound: InboundCheck


class Asked(NamedTuple):
    """What was asked, and what was decided and answered."""

    chain: ChainCheck
    commands: Commands
    actions: list[Ask]
    answers: Answers


class Run:
    """One run over a source."""

    def __init__(
        self,
        source: Source,
        ledger: Ledger | None = None,
        history: History | None = None,
        readers: Iterable[bytes] | None = None,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._history = history
        self._readers = None if readers is None else ReadersCheck(readers)
        self._once = Once(source)
        self._tallies: list[Tally] = list(self._once.tallies)
        self._counts: dict[str, int] = {}

    def report(self) -> Report:
        """Run every check."""
        began = time.monotonic()
        conversations = {row.conversation: row for row in self._source.rows(ConversationRow)}
        # Who decides, answers or is told, does it about what came: that is known first.
        came = self._came()
        # A transcript has, beside what came, what was asked and carried out.
        asked = self._asked(came)
        # What is told of a message names its line.
        messages = self._written(came, asked, conversations)
        if self._readers is not None:
            self._tallies += self._readers.walk(asked.chain.chains, messages.transcripts)
        # Nothing else is made of these, and lag is looked at when all has been read.
        self._led_to(came, asked, messages, conversations)
        self._counts |= self._once.counts
        return Report(self._tallies, self._counts, time.monotonic() - began)

    def _shown(self, topic: str) -> Iterable[LogRecord]:
        """The records of a topic that readers were shown, too, if there were any."""
        records = self._once.records(topic)
        return records if self._readers is None else self._readers.watch(topic, records)

    def _came(self) -> Came:
        """What customers and channels said."""
        letters = Letters(self._source.records("deadletter"))
        deliveries = DeliveriesCheck(self._delivered_to())
        pages = PageNoticesCheck()
        own = OwnSent(deliveries.watch_receipts(pages.watch(self._once.records("receipts"))))
        deliveries.hear(self._source.records("receipts"))
        return Came(letters, deliveries, pages, own, self._inbound(letters, own))

    def _asked(self, came: Came) -> Asked:
        """What was decided, what was asked, and how it was answered."""
        chain = ChainCheck()
        chain.walk(self._shown("assignments"))
        commands = Commands(self._once.records("commands"), came.letters)
        actions = list(asks_on("actions", self._once.records("actions"), came.letters))
        outcomes, asks = Outcomes(self._once.records("outcomes")), [*commands.asks, *actions]
        answered = AnsweredCheck(outcomes)
        answered.walk(asks)
        if self._history is not None:
            heard = HeardCheck(self._history)
            heard.walk(asks, outcomes)
            self._tallies += heard.tallies
        self._tallies += [
            *chain.tallies,
            *answered.tallies,
            check_replies(chain.refusals, commands.asks, answered.answers),
        ]
        return Asked(chain, commands, actions, answered.answers)

    def _written(self, came: Came, asked: Asked, conversations: dict[str, ConversationRow]) -> MessagesCheck:
        """The lines of transcripts, tickets, and what became of what was sent."""
        told = came.inbound.gestures.told
        tickets, messages = TicketsCheck(asked.actions, asked.answers), MessagesCheck()
        messages.walk(tickets.watch(self._shown("messages")))
        tickets.walk(self._source.rows(TicketRow))
        lines = LinesCheck(asked.actions, asked.answers, asked.chain.chains)
        transcript = TranscriptCheck(came.inbound.occurrences, messages.transcripts, conversations, lines)
        transcript.walk(self._source.rows(MessageRow))
        lines.finish(came.deliveries.watch_outbound(self._once.records("outbound")))
        came.deliveries.walk(self._source.rows(DeliveryRow))
        self._tallies += [
            messages.follows,
            *tickets.tallies,
            check_acts(messages.acts, asked.actions, asked.answers, told),
            check_returns(messages.returns, asked.commands.routes, told),
            *transcript.tallies,
            *lines.tallies,
            *came.deliveries.tallies,
        ]
        return messages

    def _led_to(
        self, came: Came, asked: Asked, messages: MessagesCheck, conversations: dict[str, ConversationRow]
    ) -> None:
        """How desks decided, who was told, and whether anything is left to do."""
        self._desk(asked.chain, came.letters, conversations, asked.commands, asked.answers)
        self._notifier(asked.chain, messages, came.own, came.pages)
        self._tallies += [
            check_held_back(self._source, ("inbound", "deadletter", *self._once.counts)),
            check_lag(self._source),
            check_lanes(self._source),
        ]

    def _delivered_to(self) -> dict[int, int]:
        """How far delivery has read each partition of outbound; nothing when nobody delivers."""
        committed = self._source.committed("delivery")
        return {place[1]: entry.offset for place, entry in committed.items() if place[0] == "outbound"}

    def _inbound(self, letters: Letters, own: OwnSent) -> InboundCheck:
        pages = {row.page: row for row in self._source.rows(PageRow)}
        check = InboundCheck(letters, pages, own, self._source.partitions("inbound"))
        records = self._source.records("inbound")
        if self._ledger is not None:
            promised = LedgerCheck(self._ledger)
            check.walk(promised.watch(records))
            self._tallies += promised.tallies
        else:
            check.walk(records)
        self._tallies += check.tallies
        self._counts |= {
            "inbound": check.records,
            "distinct": len(check.occurrences),
            "duplicates": check.occurrences.duplicates,
            "deadletter": letters.count,
        }
        return check

    def _desk(
        self,
        chain: ChainCheck,
        letters: Letters,
        conversations: dict[str, ConversationRow],
        commands: Commands,
        answers: Answers,
    ) -> None:
        roster = roster_events(self._once.records("roster"))
        logs = DeskLogs(chain.chains, roster, commands, self._source.log_id("commands"))
        replay = Replay(answers, commands.vacated)
        replay.run(logs.of)
        self._tallies += [
            check_answers(chain.chains, commands, letters),
            check_causes(chain.chains, commands),
            check_sessions(chain.chains, self._source.rows(SessionRow)),
            check_desk(chain.chains, replay.conversations, self._source.rows(DeskConversationRow)),
            check_followers(
                chain.chains,
                conversations.values(),
                self._source.rows(NotifierRow),
                self._source.rows(HeldRow),
            ),
            check_roster(roster, self._source.rows(DefinitionRow)),
            *logs.tallies,
            *replay.tallies,
        ]

    def _notifier(
        self, chain: ChainCheck, messages: MessagesCheck, own: OwnSent, pages: PageNoticesCheck
    ) -> None:
        lanes = self._source.partitions("messages")
        returns = ReturnsCheck(chain.chains, messages.returns, lanes)
        notices = NoticesCheck(chain.chains, messages.transcripts, own.failed, returns, pages)
        records: Iterable[LogRecord] = self._once.records("notifications")
        if self._history is not None:
            seen = SeenCheck(self._history)
            records = seen.watch(records)
            self._tallies += seen.tallies
        notices.walk(records, self._source.rows(NoticeRow))
        self._tallies += [
            *notices.tallies,
            check_inboxes(chain.chains, messages.transcripts, self._source.rows(InboxRow)),
            check_counters(chain.chains, messages.transcripts, self._source.rows(CounterRow), lanes),
        ]
