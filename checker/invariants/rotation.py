"""Invariant 5: round robin is exact, seen from events alone.

Of two agents of a rule who are both eligible all the time, turns alternate. So whenever an agent has his next
turn, everybody who was eligible since before his last one must have had one in between; and over agents
eligible throughout, counts never differ by more than one after any prefix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checker.facts.chains import Chain, Link
from checker.facts.desk_state import DeskState
from checker.report import Tally

SPREAD_MAX = 1


@dataclass(slots=True)
class _Turns:
    """The turns of one version of a rule: who, in order."""

    version: int
    since: int
    agents: list[str] = field(default_factory=list)


class Rotation:
    """Watches a replay."""

    def __init__(self) -> None:
        self.alternates = Tally(5, "nobody has a second turn before everybody eligible has had one")
        self.spread = Tally(5, "counts of agents eligible throughout differ by at most one after any prefix")
        self.spread.facts = {"spread_max": 0, "agents_throughout": 0}
        self._turn: dict[str, dict[str, int]] = {}
        self._turns: dict[str, _Turns] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [self.alternates, self.spread]

    def begin(self) -> None:
        """Start with another desk."""
        self._turn, self._turns = {}, {}

    def before(self, state: DeskState) -> None:
        """Close the count of every rule whose list or version has changed."""
        for rule in state.relisted:
            self._close(rule, state)
        state.relisted.clear()

    def turn(self, state: DeskState, chain: Chain, link: Link, step: int) -> None:
        """Check one automatic assignment, before it takes effect."""
        if link.what != "assigned" or link.method != "round_robin" or not link.rule or not link.holder:
            return
        self.alternates.checked += 1
        last = self._turn.setdefault(link.rule, {})
        passed = _passed_over(state, link.rule, link.holder, last)
        if passed is not None:
            self.alternates.fail(
                (link.cause_offset, link.seq),
                f"{chain.key} (command at offset {link.cause_offset}): {link.rule} gave {link.holder} "
                f"another turn before {passed} had one",
            )
        last[link.holder] = step
        turns = self._turns.setdefault(link.rule, _Turns(link.rule_version, step))
        turns.agents.append(link.holder)

    def end(self, state: DeskState) -> None:
        """Close every count of the desk."""
        for rule in list(self._turns):
            self._close(rule, state)

    def _close(self, rule: str, state: DeskState) -> None:
        turns = self._turns.pop(rule, None)
        if turns is None:
            return
        throughout = {
            agent
            for agent, listed_since in state.listed(rule).items()
            if state.agent(agent).eligible
            and max(listed_since, state.agent(agent).eligible_since) <= turns.since
        }
        spread = spread_of(turns.agents, throughout)
        self.spread.checked += len(turns.agents)
        facts = self.spread.facts
        facts["spread_max"] = max(facts["spread_max"], spread)
        facts["agents_throughout"] = max(facts["agents_throughout"], len(throughout))
        if spread > SPREAD_MAX:
            self.spread.fail(
                (len(turns.agents),),
                f"{rule} version {turns.version}: counts of {len(throughout)} agents differ by {spread}",
            )


def spread_of(turns: list[str], agents: set[str]) -> int:
    """The largest difference between two of these agents' counts after any prefix of the turns."""
    counts = dict.fromkeys(agents, 0)
    having = {0: len(agents)}
    lowest = highest = widest = 0
    for agent in turns:
        if agent not in counts:
            continue
        count = counts[agent] = counts[agent] + 1
        having[count - 1] -= 1
        having[count] = having.get(count, 0) + 1
        highest = max(highest, count)
        while not having.get(lowest):
            lowest += 1
        widest = max(widest, highest - lowest)
    return widest


def _passed_over(state: DeskState, rule: str, holder: str, last: dict[str, int]) -> str | None:
    """Somebody who was eligible since before the holder's last turn and has not had one since."""
    listed = state.listed(rule)
    mine = last.get(holder)
    since = max(listed.get(holder, 0), state.agent(holder).eligible_since)
    if mine is None or since > mine:
        return None
    for agent, listed_since in listed.items():
        other = state.agent(agent)
        key = max(listed_since, other.eligible_since, last.get(agent, -1))
        if agent != holder and other.eligible and key < mine:
            return agent
    return None
