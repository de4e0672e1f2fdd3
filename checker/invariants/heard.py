"""Invariant 6, from the agents' side: what they were told is what the log says, and nothing stays open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from checker.facts.asks import Ask
from checker.facts.history import Attempt, History, Place, Told
from checker.facts.outcomes import Outcomes
from checker.record import shown
from checker.report import Tally


class HeardCheck:
    """The history of those who asked, against the topics."""

    def __init__(self, history: History) -> None:
        self.told = Tally(6, "whoever was told an outcome was told the one on the topic, each time the same")
        self.known = Tally(6, "each command that was taken has an outcome that its sender knows")
        self.order = Tally(6, "what was answered before something else was asked stands before it in the log")
        self._of: dict[Place, list[Attempt]] = defaultdict(list)
        for attempt in history.attempts:
            self._of[attempt.place].append(attempt)
        unheard = sum(not one.told and not one.turned_away for one in history.attempts)
        self.known.facts = {"attempts": len(history.attempts), "without an answer": unheard}

    @property
    def tallies(self) -> list[Tally]:
        return [self.told, self.known, self.order]

    def walk(self, asks: Sequence[Ask], outcomes: Outcomes) -> None:
        """Check every key that somebody used."""
        taken = {_place(ask): ask for ask in reversed(asks)}
        became = {
            (actor, key): Told(found[0].code, found[0].said)
            for (_, _, actor, key), found in outcomes.of.items()
            if found
        }
        for place, attempts in self._of.items():
            self._told(place, attempts, became.get(place))
            self._known(place, attempts, taken.get(place))
        for asked in _by_log(asks):
            self._in_order(asked)

    def _told(self, place: Place, attempts: Iterable[Attempt], became: Told | None) -> None:
        for attempt in attempts:
            if attempt.told is None:
                continue
            fault = "" if attempt.told == became else f"was told {attempt.told}, it is {became}"
            self.told.judge((attempt.begun_ns,), fault, _named(attempt))

    def _known(self, place: Place, attempts: Sequence[Attempt], taken: Ask | None) -> None:
        fault = ""
        if taken is not None and not any(attempt.told for attempt in attempts):
            codes = [attempt.turned_away or "no answer" for attempt in attempts]
            fault = f"is at {taken.topic} {shown(taken.place)}, its sender heard {codes}"
        self.known.judge((attempts[0].begun_ns,), fault, _named(attempts[0]))

    def _in_order(self, asked: Iterable[Ask]) -> None:
        """Asks of one partition, in the order of the log: no later one ended before an earlier one began."""
        begun_ns, before = -1, None
        for ask in asked:
            attempts = self._of.get(_place(ask))
            if not attempts:
                continue
            ended_ns = min((one.ended_ns for one in attempts if one.told), default=begun_ns)
            is_late = ended_ns < begun_ns
            fault = f"{ask.asker[2:]} stands behind {before}, asked after its answer" if is_late else ""
            self.order.judge(ask.place[::-1], fault)
            first_ns = min(one.begun_ns for one in attempts)
            if first_ns > begun_ns:
                begun_ns, before = first_ns, ask.asker[2:]


def _by_log(asks: Iterable[Ask]) -> Iterable[list[Ask]]:
    """By partition: the first ask of each key, which is the one that counts."""
    found: dict[tuple[str, int], dict[Place, Ask]] = defaultdict(dict)
    for ask in asks:
        found[ask.topic, ask.place[0]].setdefault(_place(ask), ask)
    return [sorted(each.values(), key=lambda ask: ask.place) for each in found.values()]


def _place(ask: Ask) -> Place:
    return ask.asker[2], ask.asker[3]


def _named(attempt: Attempt) -> str:
    return f"{attempt.call} of {attempt.place[0]}, key {attempt.place[1]}"
