"""Whether everybody was told what he should be, and how long it took: pure, of one race's answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bench.failures import BenchError
from bench.sockets.member import Told


@dataclass
class Times:
    """Of races that were right, in milliseconds from a click to its answer.

    Attributes:
        winners: one a conversation.
        last_losers: the longest of a conversation, one each.
        spreads: from a conversation's first click to its last.
        again: calls that had to be sent once more.
    """

    winners: list[float] = field(default_factory=list)
    last_losers: list[float] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    again: int = 0

    def add(self, told: Sequence[Told], conversations: Collection[str], agents: int) -> None:
        """Judge a race in which each agent clicked on each conversation once. Raises BenchError."""
        by_conversation: defaultdict[str, list[Told]] = defaultdict(list)
        for one in told:
            by_conversation[one.conversation].append(one)
        for conversation in conversations:
            self._add(conversation, by_conversation.pop(conversation, []), agents)
        if by_conversation:
            raise BenchError(f"answers name other conversations: {list(by_conversation)[:3]}")

    def _add(self, conversation: str, told: Sequence[Told], agents: int) -> None:
        if len({one.agent for one in told}) != agents or len(told) != agents:
            raise BenchError(f"{conversation}: {len(told)} answers to {agents} agents")
        winners = [one for one in told if one.code == "done"]
        if len(winners) != 1:
            raise BenchError(f"{conversation} has {len(winners)} winners: {winners[:3]}")
        losers = [one for one in told if one.code == "taken"]
        misled = [one for one in losers if one.winner != winners[0].agent or one.earlier_ms is None]
        if len(losers) != agents - 1 or misled:
            others = [one for one in told if one.code not in ("done", "taken")]
            raise BenchError(f"{conversation}: losers were told otherwise: {(misled or others)[:3]}")
        self.winners.append(_ms(winners[0]))
        self.last_losers.append(max(map(_ms, losers), default=0.0))
        self.again += sum(one.again for one in told)
        clicks = [one.sent_s for one in told]
        self.spreads.append((max(clicks) - min(clicks)) * 1000)


def _ms(one: Told) -> float:
    return (one.told_s - one.sent_s) * 1000


def seconds_of(told: Sequence[Told]) -> float:
    """From the first click to the last answer."""
    return max(one.told_s for one in told) - min(one.sent_s for one in told)
