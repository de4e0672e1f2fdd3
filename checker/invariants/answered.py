"""Invariant 6, the outcomes: whatever is asked on commands or actions has exactly one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from checker.facts.asks import Ask, Asker
from checker.facts.outcomes import Outcome, Outcomes
from checker.record import Place, shown
from checker.report import Tally

KEPT_MS = 24 * 60 * 60 * 1000
"""For so long a key is remembered; after that it is another one."""
EDGE_MS = 60 * 60 * 1000
"""Around that age either may be: the age counts from the outcome, which comes some time after its ask."""
Answers = dict[tuple[str, Place], Outcome]
"""By the ask's topic and place; an ask that repeats another has none."""


class AnsweredCheck:
    """All asks against all outcomes, key by key."""

    def __init__(self, outcomes: Outcomes) -> None:
        self.once = Tally(6, "each command and each action has exactly one outcome for its actor and key")
        self.genuine = Tally(6, "each outcome is of something asked, names it, and goes to who asked")
        self.answers: Answers = {}
        self._outcomes = outcomes

    @property
    def tallies(self) -> list[Tally]:
        return [self.once, self.genuine]

    def walk(self, asks: Iterable[Ask]) -> None:
        """Check every key, then the outcomes that nobody asked for."""
        of: dict[Asker, list[Ask]] = defaultdict(list)
        for ask in asks:
            of[ask.asker].append(ask)
        for asker, asked in of.items():
            self.once.checked += 1
            self._key(asker, sorted(asked, key=lambda ask: ask.at_ms))
        for found in (self._outcomes.of, self._outcomes.reused):
            for asker, outcomes in found.items():
                for outcome in outcomes:
                    self._check(asker, outcome, "" if asker in of else "nobody asked for it")

    def _key(self, asker: Asker, asked: list[Ask]) -> None:
        """The outcomes of one key: the first ask has one, a repetition none, another body its refusal."""
        found, reused = self._outcomes.of.get(asker, []), self._outcomes.reused.get(asker, [])
        first, others, at_edge = _counted(asked)
        for ask, outcome in zip(first, found, strict=False):
            self.answers[ask.topic, ask.place] = outcome
            if outcome.what != ask.what or outcome.at_ms < ask.at_ms:
                self._check(asker, outcome, f"asked was {ask.what}, at {ask.at_ms}")
        if abs(len(found) - len(first)) > at_edge or abs(len(reused) - others) > at_edge:
            place = asked[0].place
            self.once.fail(
                (len(asked), *place[::-1]),
                f"{asker[2]} asked {asked[0].what}, key {asker[3]}, at {asked[0].topic} {shown(place)}: "
                f"{len(found)} outcomes for {len(first)} asks, {len(reused)} refusals for {others} others",
            )

    def _check(self, asker: Asker, outcome: Outcome, fault: str) -> None:
        if not outcome.is_to_actor:
            fault = "its record has another key than its actor"
        where = f"outcomes {shown(outcome.place)} ({outcome.what} of {asker[2]}, key {asker[3]})"
        self.genuine.judge(outcome.place[::-1], fault, where)


def _counted(asked: list[Ask]) -> tuple[list[Ask], int, int]:
    """Which asks are the first of their key, how many reuse it for another, how many may be either."""
    first = [asked[0]]
    others = at_edge = 0
    for ask in asked[1:]:
        age_ms = ask.at_ms - first[-1].at_ms
        at_edge += abs(age_ms - KEPT_MS) < EDGE_MS
        if age_ms >= KEPT_MS:
            first.append(ask)
        else:
            others += ask.body != first[-1].body
    return first, others, at_edge
