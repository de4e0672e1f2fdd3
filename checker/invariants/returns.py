"""Invariants 1 and 8 for customers who come back: told once each, to all who followed them then."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from checker.facts.chains import Chain, Chains
from checker.facts.commands import Route
from checker.facts.trails import Trails
from checker.record import Json, LogRecord, Place, shown
from checker.report import Rank, Tally

SEEING = "web:"
"""The channel that sees customers come and go; on the others somebody is back when he writes again."""


class Return(NamedTuple):
    """One that is told on messages, and the chain number that it names."""

    conversation: str
    key: str
    session: int
    at: str
    seq: int
    place: Place


class ReturnsCheck:
    """Who is told of returns: watches notifications while others read them."""

    def __init__(self, chains: Chains, returns: Iterable[Return], lanes: int) -> None:
        self.told = Tally(
            8, "a customer's return is told to all who follow him then, once each, and nobody else"
        )
        self._chains = chains
        self._trails = Trails(lanes)
        self._returns = {(one.conversation, one.session, one.at): one for one in returns}
        self._notices: defaultdict[Return, list[Json]] = defaultdict(list)

    def see(self, record: LogRecord, notice: Json) -> None:
        """Any record of notifications: it may tell how far the notifier has read."""
        self._trails.see(record, notice["key"])

    def notice(self, notice: Json, where: str, rank: Rank) -> None:
        """Somebody is told of a return."""
        one = self._returns.get((notice["conversation"], notice["session"], notice["at"]))
        if one is None:
            self.told.fail(rank, f"{where}: nobody came back then")
        else:
            self._notices[one].append(notice)

    def finish(self) -> None:
        """Whether all were told."""
        for one in self._returns.values():
            fault = self._fault(one, self._chains.get(one.conversation))
            self.told.judge((one.seq, one.place[1]), fault, f"{one.key}, messages {shown(one.place)}")

    def _fault(self, one: Return, chain: Chain | None) -> str:
        """All are told by the same number of the chain, as far as the notifier had followed it."""
        told, first = self._notices[one], self._followed(one, chain)
        numbers = {notice["seq"] for notice in told} or set(range(first, one.seq + 1))
        circles = [_told(chain, seq) for seq in sorted(numbers) if first <= seq <= one.seq]
        if len(circles) < len(numbers) or (told and len(numbers) > 1):
            return f"told by seq {sorted(numbers)}, followed was from {first} up to {one.seq}"
        agents = Counter(notice["agent"] for notice in told)
        if any(agents == Counter(circle) for circle in circles):
            return ""
        return (
            f"{dict(agents) or 'nobody'} was told, {sorted(circles[-1])} followed him at seq {max(numbers)}"
        )

    def _followed(self, one: Return, chain: Chain | None) -> int:
        """Up to which number the notifier had followed the chain for certain, when it read the return."""
        if chain is None:
            return 0
        read_to = self._trails.followed(one.key, one.place[1])
        return min(bisect_left(chain.links, read_to, key=lambda link: link.offset), one.seq)


def _told(chain: Chain | None, seq: int) -> frozenset[str]:
    return frozenset() if chain is None else chain.circle(seq).told


def check_returns(
    returns: Sequence[Return], routes: Iterable[Route], heard: Counter[tuple[str, ...]]
) -> Tally:
    """Each session that a customer opens after his first is a return; a website tells of returns itself."""
    tally = Tally(1, "each return of a customer is told once on messages, and none that nobody has seen")
    opened = {
        (route.conversation, route.session): route
        for route in routes
        if route.opens_session and route.session > 1 and not route.key.startswith(SEEING)
    }
    told = Counter((one.conversation, one.session) for one in returns if not one.key.startswith(SEEING))
    for session in opened.keys() | told.keys():
        said = "opened by its customer" if session in opened else "not opened by its customer"
        is_well = told[session] == 1 and session in opened
        fault = "" if is_well else f"{said}, told {told[session]} times"
        tally.judge((session[1],), fault, f"conversation {session[0]}, session {session[1]}")
    seen = Counter(one.conversation for one in returns if one.key.startswith(SEEING))
    for conversation, times in seen.items():
        known = heard["returned", conversation]
        fault = f"told {times} times, its website has told {known}" if times > known else ""
        tally.judge((times,), fault, f"conversation {conversation}")
    return tally
