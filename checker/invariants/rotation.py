"""Invariant 5: round robin is exact, seen from events alone.

Of two agents of a rule who are both eligible all the time, turns alternate. So whenever an agent has his next
turn, everybody who was eligible since before his last one must have had one in between; and over agents
eligible throughout, counts never differ by more than one after any prefix. Eligible is looked at where it
counts, at each turn: whoever then is on leave, offline where that matters, at a limit, or has declined the
conversation has not stayed eligible.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checker.facts.chains import Chain, Link
from checker.facts.desk_state import DeskState, Rule
from checker.report import Tally

SPREAD_MAX = 1
NEVER = -1


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
        self._barred: dict[str, dict[str, int]] = {}
        self._turns: dict[str, _Turns] = {}

    @property
    def tallies(self) -> list[Tally]:
        return [self.alternates, self.spread]

    def begin(self) -> None:
        """Start with another desk."""
        self._turn, self._barred, self._turns = {}, {}, {}

    def before(self, state: DeskState) -> None:
        """Close the count of every rule whose list or version has changed."""
        for rule in state.relisted:
            self._close(rule, state)
        state.relisted.clear()

    def turn(self, state: DeskState, chain: Chain, link: Link, step: int) -> None:
        """Check one automatic assignment, before it takes effect."""
        name, rule = link.rule or "", state.rules.get(link.rule or "")
        if link.what != "assigned" or link.method != "round_robin" or rule is None or not link.holder:
            return
        barred = self._barred.setdefault(name, {})
        for agent in rule.listed_since:
            if agent != link.holder and state.bar(agent, rule, state.conversation(chain)):
                barred[agent] = step
        passed = self._passed_over(rule, name, link.holder)
        again = f"{name} gave {link.holder} another turn before {passed} had one"
        self.alternates.judge(link.rank, "" if passed is None else again, chain.where(link))
        self._turn.setdefault(name, {})[link.holder] = step
        self._turns.setdefault(name, _Turns(link.rule_version, step)).agents.append(link.holder)

    def end(self, state: DeskState) -> None:
        """Close every count of the desk."""
        for rule in list(self._turns):
            self._close(rule, state)

    def _passed_over(self, rule: Rule, name: str, holder: str) -> str | None:
        """Somebody who was eligible at every turn since the holder's last one, and has had none since."""
        last, barred = self._turn.get(name, {}), self._barred[name]
        mine = last.get(holder)
        if mine is None or rule.listed_since.get(holder, 0) > mine:
            return None
        for agent, listed_since in rule.listed_since.items():
            since = max(listed_since, barred.get(agent, NEVER), last.get(agent, NEVER))
            if agent != holder and since < mine:
                return agent
        return None

    def _close(self, rule: str, state: DeskState) -> None:
        turns = self._turns.pop(rule, None)
        if turns is None:
            return
        barred = self._barred.get(rule, {})
        throughout = {
            agent
            for agent, listed_since in state.listed(rule).items()
            if listed_since <= turns.since and barred.get(agent, NEVER) < turns.since
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
