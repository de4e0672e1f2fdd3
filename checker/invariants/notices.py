"""Invariant 8: who was told what: each message and each change once to whom it concerns, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from checker.facts.chains import Chain, Chains, Link
from checker.facts.own_sent import Failed
from checker.facts.transcripts import Transcript, Transcripts
from checker.invariants.page_notices import PAUSED, RESUMED, PageNoticesCheck
from checker.invariants.returns import ReturnsCheck
from checker.invariants.told import ToldCheck
from checker.record import Json, LogRecord, shown
from checker.report import Rank, Tally
from checker.rows import NoticeRow

_Told = dict[str, dict[int, int]]
"""Per conversation, how often something was told: by position, or by chain number."""


class NoticesCheck:
    """One walk over notifications, then over the table `notice`."""

    def __init__(
        self,
        chains: Chains,
        transcripts: Transcripts,
        failed: Collection[Failed],
        returns: ReturnsCheck,
        pages: PageNoticesCheck,
    ) -> None:
        self.messages = Tally(
            8, "each customer message gives one notice to each who follows it at its chain number"
        )
        self.assigned = Tally(8, "each assigned event gives one notice to the new holder")
        self.ordered = Tally(8, "notices of a conversation's messages keep their order")
        self.stored = Tally(8, "the table of notices and the topic agree")
        self._chains = chains
        self._transcripts = transcripts
        self.marked = Tally(8, "a customer's message is marked exactly when he was kept out")
        self.mentions = Tally(8, "each note gives one notice to each whom it names")
        self.failures = Tally(8, "each answer that has failed gives one notice to the agent who wrote it")
        self._returns = returns
        self._pages = pages
        self._failed = failed
        self._told_failed: Counter[Failed] = Counter()
        self.told = ToldCheck(chains)
        self._told_messages: Counter[tuple[str, int, str]] = Counter()
        self._told_mentions: Counter[tuple[str, int, str]] = Counter()
        self._told_assigned: _Told = {}
        self._last: dict[tuple[str, str], int] = {}
        self._digests: dict[int, int] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [
            self.marked,
            *(self.messages, self.mentions, self.failures, self.assigned, self.ordered, self.stored),
            self._returns.told,
            *self._pages.tallies,
            *self.told.tallies,
        ]

    def walk(self, records: Iterable[LogRecord], rows: Iterable[NoticeRow]) -> None:
        """Check every notice, then what was not told, then the table."""
        for record in records:
            self._notice(record, record.what("notifications") or "", record.json())
        self.told.finish()
        self._returns.finish()
        self._pages.finish()
        self._untold_messages()
        self._untold_assigned()
        self._untold_failed()
        self._compare(rows)

    def _notice(self, record: LogRecord, what: str, notice: Json) -> None:
        rank = (notice["seq"], record.offset)
        self._returns.see(record, notice)
        if "audience" in notice:
            where = f"notifications {shown(record.place)} ({notice['key']}, to {notice['audience']})"
            if record.key != f"audience:{notice['workspace']}/{notice['audience']}".encode():
                self.ordered.fail(rank, f"{where}: key {record.key!r}")
            tell = self._pages.notice if what in (PAUSED, RESUMED) else self.told.audience
            tell(what, notice, where, rank)
            return
        self._remember(record, what, notice)
        where = f"notifications {shown(record.place)} ({notice['key']}, to {notice['agent']})"
        if record.key != f"agent:{notice['workspace']}/{notice['agent']}".encode():
            self.ordered.fail(rank, f"{where}: key {record.key!r}")
        chain = self._chains.get(notice["conversation"])
        if what == "message":
            self._message(chain, notice, where, rank)
        elif what == "assigned":
            self._assigned(chain, notice, where, rank)
        elif what == "mention":
            self._mention(notice, where, rank)
        elif what == "answer_failed":
            self._answer_failed(notice, where, rank)
        elif what == "returned":
            self._returns.notice(notice, where, rank)
        elif what == "read":
            self._read(notice, where, rank)
        else:
            self.told.agent(what, notice, where, rank)

    def _mention(self, notice: Json, where: str, rank: Rank) -> None:
        position, agent = notice["message"]["position"], notice["agent"]
        told = (notice["conversation"], position, agent)
        self._told_mentions[told] += 1
        transcript = self._transcripts.get(notice["conversation"])
        if transcript is None or agent not in transcript.mentions.get(position, ()):
            self.mentions.fail(rank, f"{where}: no note at {position} names him")
        elif self._told_mentions[told] > 1:
            self.mentions.fail(rank, f"{where}: position {position} for the second time")

    def _answer_failed(self, notice: Json, where: str, rank: Rank) -> None:
        place = notice["conversation"], notice["agent"], notice["answer"], notice["position"]
        told = Failed(*place, notice["reason"])
        self._told_failed[told] += 1
        if told not in self._failed:
            self.failures.fail(rank, f"{where}: no answer of his has failed so at {notice['position']}")
        elif self._told_failed[told] > 1:
            self.failures.fail(rank, f"{where}: position {notice['position']} for the second time")

    def _read(self, notice: Json, where: str, rank: Rank) -> None:
        transcript = self._transcripts.get(notice["conversation"])
        if transcript is None or notice["position"] > transcript.reads.get(notice["agent"], 0):
            self.ordered.fail(rank, f"{where}: he has not read up to {notice['position']}")

    def _message(self, chain: Chain | None, notice: Json, where: str, rank: Rank) -> None:
        position = notice["message"]["position"]
        transcript = self._transcripts.get(notice["conversation"])
        fault = _message_fault(chain, transcript, notice, position)
        told = (notice["conversation"], position, notice["agent"])
        self._told_messages[told] += 1
        if not fault and self._told_messages[told] > 1:
            fault = f"position {position} for the second time"
        if fault:
            self.messages.fail(rank, f"{where}: {fault}")
        reader = notice["conversation"], notice["agent"]
        before = self._last.get(reader, 0)
        fault = f"position {position} after {before}" if position < before else ""
        self.ordered.judge(rank, fault, where)
        self._last[reader] = position

    def _assigned(self, chain: Chain | None, notice: Json, where: str, rank: Rank) -> None:
        link = chain.at(notice["seq"]) if chain else None
        fault = _assigned_fault(link, self._transcripts.get(notice["conversation"]), notice)
        told = self._told_assigned.setdefault(notice["conversation"], {})
        told[notice["seq"]] = told.get(notice["seq"], 0) + 1
        if not fault and told[notice["seq"]] > 1:
            fault = f"seq {notice['seq']} for the second time"
        if fault:
            self.assigned.fail(rank, f"{where}: {fault}")

    def _untold_messages(self) -> None:
        for conversation, transcript in self._transcripts.items():
            chain = self._chains.get(conversation)
            self._untold_mentions(conversation, transcript)
            for position in (index + 1 for index, is_his in enumerate(transcript.customer) if is_his):
                self._marked(chain, transcript, position, blocked=False)
                self.messages.checked += 1
                for agent in recipients(chain, transcript.seqs[position - 1], position):
                    if not self._told_messages[conversation, position, agent]:
                        self.messages.fail(
                            (len(transcript), position),
                            f"{transcript.key}: {agent} was not told of {position}",
                        )

            for position in transcript.blocked:
                self._marked(chain, transcript, position, blocked=True)

    def _marked(self, chain: Chain | None, transcript: Transcript, position: int, *, blocked: bool) -> None:
        """A message is marked when its customer was kept out, and only then."""
        was = chain is not None and chain.circle(transcript.seqs[position - 1]).blocked
        said = "blocked" if blocked else "not blocked"
        fault = f"{position} is {said}" if was != blocked else ""
        self.marked.judge((len(transcript), position), fault, transcript.key)

    def _untold_mentions(self, conversation: str, transcript: Transcript) -> None:
        for position, named in transcript.mentions.items():
            for agent in named:
                is_told = self._told_mentions[conversation, position, agent]
                fault = "" if is_told else f"{agent} was not told of {position}"
                self.mentions.judge((len(transcript), position), fault, transcript.key)

    def _untold_assigned(self) -> None:
        for conversation, chain in self._chains.items():
            told = self._told_assigned.get(conversation, {})
            for link in chain.links:
                if link.what == "assigned":
                    fault = "" if link.seq in told else f"{link.holder} was not told of seq {link.seq}"
                    self.assigned.judge((link.seq,), fault, chain.key)

    def _untold_failed(self) -> None:
        for failed in self._failed:
            fault = "" if self._told_failed[failed] else f"{failed.agent} was not told of {failed}"
            self.failures.judge((failed.position,), fault)

    def _remember(self, record: LogRecord, what: str, notice: Json) -> None:
        id_ = hash(notice["notice"])
        if id_ in self._digests:
            self.stored.fail((record.offset,), f"notice {notice['notice']} is twice on the topic")
        if what != "read":
            self._digests[id_] = hash(_as_row(what, notice))

    def _compare(self, rows: Iterable[NoticeRow]) -> None:
        for row in rows:
            is_same = self._digests.pop(hash(row.notice), None) == hash(row)
            fault = "" if is_same else f"the topic lacks, or says otherwise: {row}"
            self.stored.judge((row.seq, row.position), fault)
        if self._digests:
            self.stored.fail((0,), f"{len(self._digests)} notices on the topic are not in the table")


def recipients(chain: Chain | None, seq: int, position: int) -> frozenset[str]:
    """Who is to be told of a customer's message at `position` that names the chain number `seq`.

    The followers who have not muted it; a holder follows unless he said otherwise. What his `assigned` notice
    carried gives him none.
    """
    if chain is None:
        return frozenset()
    told, giver = chain.circle(seq).told, chain.giver(seq)
    if giver is not None and giver.holder and position <= giver.after_position:
        return told - {giver.holder}
    return told


def _message_fault(chain: Chain | None, transcript: Transcript | None, notice: Json, position: int) -> str:
    if transcript is None or not 0 < position <= len(transcript) or not transcript.customer[position - 1]:
        return f"there is no customer message at {position}"
    seq = transcript.seqs[position - 1]
    told = recipients(chain, seq, position)
    link = chain.at(seq) if chain else None
    if link is None or notice["agent"] not in told:
        return f"position {position} names seq {seq}, where {sorted(told) or 'nobody'} was to be told"
    if (notice["seq"], notice["epoch"]) != (seq, link.epoch):
        return (
            f"position {position} is of seq {seq}, epoch {link.epoch}; "
            f"the notice says seq {notice['seq']}, epoch {notice['epoch']}"
        )
    return ""


def _assigned_fault(link: Link | None, transcript: Transcript | None, notice: Json) -> str:
    if link is None or link.what != "assigned":
        return f"seq {notice['seq']} is no assigned event"
    if (notice["agent"], notice["epoch"]) != (link.holder, link.epoch):
        return f"seq {link.seq} gave it to {link.holder}, epoch {link.epoch}"
    told = (notice.get("message") or {}).get("position", 0)
    said = bytes(transcript.customer) if transcript else b""
    latest = said.rfind(1, 0, link.after_position) + 1
    if told != latest:
        return f"carries position {told}, the latest up to {link.after_position} is {latest}"
    return ""


def _as_row(what: str, notice: Json) -> NoticeRow:
    return NoticeRow(
        workspace=notice["workspace"],
        agent=notice["agent"],
        notice=notice["notice"],
        kind=what,
        conversation=notice["conversation"],
        seq=notice["seq"],
        epoch=notice["epoch"],
        position=_position(what, notice),
        unread=notice["unread"],
    )


def _position(what: str, notice: Json) -> int:
    """Of the line that it speaks of; 0: of none."""
    if what == "answer_failed":
        return int(notice["position"])
    return int((notice.get("message") or {}).get("position", 0))
