"""Invariant 8, beyond messages: what agents are told in person, and what audiences are told once."""

from __future__ import annotations

from collections import Counter

from checker.facts.chains import Chain, Chains
from checker.record import Json
from checker.report import Rank, Tally

_Offer = tuple[str, str, int]
"""What, to which audience, at which chain number."""


class ToldCheck:
    """What is told of the chain's events, beside `assigned`."""

    def __init__(self, chains: Chains) -> None:
        self.personal = Tally(8, "each change is told once to each agent whom it concerns")
        self.offers = Tally(8, "each offer is told once to its audience, and withdrawn once for all")
        self.lists = Tally(8, "what watched lists are told last is how the conversation stands")
        self._chains = chains
        self._told: Counter[tuple[str, int, str, str]] = Counter()
        self._offers: Counter[tuple[str, _Offer]] = Counter()
        self._last: dict[str, Json] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [self.personal, self.offers, self.lists]

    def agent(self, what: str, notice: Json, where: str, rank: Rank) -> None:
        """One notice to an agent."""
        chain = self._chains.get(notice["conversation"])
        seq, agent = notice["seq"], notice["agent"]
        told = (notice["conversation"], seq, agent, what)
        self._told[told] += 1
        expected = chain.personal.get(seq, {}) if chain else {}
        link = chain.at(seq) if chain else None
        if link is None or expected.get(agent) != what:
            self.personal.fail(rank, f"{where}: {what} of seq {seq}, expected {expected or 'nothing'}")
        elif notice["epoch"] != link.epoch:
            self.personal.fail(rank, f"{where}: epoch {notice['epoch']}, seq {seq} has {link.epoch}")
        elif self._told[told] > 1:
            self.personal.fail(rank, f"{where}: {what} of seq {seq} for the second time")

    def audience(self, what: str, notice: Json, where: str, rank: Rank) -> None:
        """One notice to an audience."""
        conversation = notice["conversation"]
        if what == "conversation_changed":
            self._changed(notice, where, rank)
            return
        offer = (what, notice["audience"], notice["seq"])
        self._offers[conversation, offer] += 1
        chain = self._chains.get(conversation)
        link = chain.at(notice["seq"]) if chain else None
        if chain is None or offer not in chain.offers:
            self.offers.fail(rank, f"{where}: no event {notice['seq']} says {what}")
        elif self._offers[conversation, offer] > 1:
            self.offers.fail(rank, f"{where}: {what} at {notice['seq']} for the second time")
        elif what == "withdrawn" and link and notice.get("holder") != link.holder:
            self.offers.fail(rank, f"{where}: {notice.get('holder')} shall have it, {link.holder} has")

    def finish(self) -> None:
        """What was not told."""
        for conversation, chain in self._chains.items():
            for seq, told in chain.personal.items():
                for agent, what in told.items():
                    is_told = self._told[conversation, seq, agent, what]
                    fault = "" if is_told else f"{agent} was not told {what} of seq {seq}"
                    self.personal.judge((seq,), fault, chain.key)
            for offer in chain.offers:
                what, audience, seq = offer
                is_told = self._offers[conversation, offer]
                self.offers.judge(
                    (seq,), "" if is_told else f"{audience} was not told {what} of seq {seq}", chain.key
                )
            self._settled(conversation, chain)

    def _changed(self, notice: Json, where: str, rank: Rank) -> None:
        before = self._last.get(notice["conversation"])
        if before is not None and notice["seq"] <= before["seq"]:
            self.lists.fail(rank, f"{where}: seq {notice['seq']} after {before['seq']}")
        self._last[notice["conversation"]] = notice
        chain = self._chains.get(notice["conversation"])
        link = chain.at(notice["seq"]) if chain else None
        if link is None or _stands(notice) != (link.standing, link.holder, link.care):
            self.lists.fail(rank, f"{where}: says {_stands(notice)} of seq {notice['seq']}, which is {link}")

    def _settled(self, conversation: str, chain: Chain) -> None:
        """Changes that cancel each other out within a batch need not be told."""
        link, last = chain.links[-1], self._last.get(conversation)
        told = _stands(last) if last else ("idle", None, "new")
        is_well = told == (link.standing, link.holder, link.care)
        fault = "" if is_well else f"{told} was told last, but it is {link}"
        self.lists.judge((link.seq,), fault, chain.key)


def _stands(notice: Json) -> tuple[str, str | None, str]:
    return notice["standing"], notice.get("holder"), notice["care"]
