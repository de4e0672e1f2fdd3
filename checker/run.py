"""All checks in an order in which each topic and table is read once."""

from __future__ import annotations

import time
from collections.abc import Iterable

from checker.facts.asks import asks_on
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


class Run:
    """One run over a source."""

    def __init__(self, source: Source, ledger: Ledger | None = None, history: History | None = None) -> None:
        self._source = source
        self._ledger = ledger
        self._history = history
        self._once = Once(source)
        self._tallies: list[Tally] = list(self._once.tallies)
        self._counts: dict[str, int] = {}

    def report(self) -> Report:
        """Run every check."""
        began = time.monotonic()
        conversations = {row.conversation: row for row in self._source.rows(ConversationRow)}
        letters = Letters(self._source.records("deadletter"))
        deliveries = DeliveriesCheck(self._delivered_to())
        pages = PageNoticesCheck()
        own = OwnSent(deliveries.watch_receipts(pages.watch(self._once.records("receipts"))))
        deliveries.hear(self._source.records("receipts"))
        inbound = self._inbound(letters, own)
        chain = ChainCheck()
        chain.walk(self._once.records("assignments"))
        commands = Commands(self._once.records("commands"), letters)
        actions = list(asks_on("actions", self._once.records("actions"), letters))
        outcomes, asks = Outcomes(self._once.records("outcomes")), [*commands.asks, *actions]
        answered = AnsweredCheck(outcomes)
        answered.walk(asks)
        if self._history is not None:
            heard = HeardCheck(self._history)
            heard.walk(asks, outcomes)
            self._tallies += heard.tallies
        tickets, messages = TicketsCheck(actions, answered.answers), MessagesCheck()
        messages.walk(tickets.watch(self._once.records("messages")))
        tickets.walk(self._source.rows(TicketRow))
        self._tallies += [
            *chain.tallies,
            messages.follows,
            *tickets.tallies,
            *answered.tallies,
            check_replies(chain.refusals, commands.asks, answered.answers),
            check_acts(messages.acts, actions, answered.answers, inbound.gestures.told),
            check_returns(messages.returns, commands.routes, inbound.gestures.told),
        ]
        lines = LinesCheck(actions, answered.answers, chain.chains)
        transcript = TranscriptCheck(inbound.occurrences, messages.transcripts, conversations, lines)
        transcript.walk(self._source.rows(MessageRow))
        lines.finish(deliveries.watch_outbound(self._once.records("outbound")))
        deliveries.walk(self._source.rows(DeliveryRow))
        self._tallies += [*transcript.tallies, *lines.tallies, *deliveries.tallies]
        self._desk(chain, letters, conversations, commands, answered.answers)
        self._notifier(chain, messages, own, pages)
        self._tallies += [
            check_held_back(self._source, ("inbound", "deadletter", *self._once.counts)),
            check_lag(self._source),
            check_lanes(self._source),
        ]
        self._counts |= self._once.counts
        return Report(self._tallies, self._counts, time.monotonic() - began)

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
