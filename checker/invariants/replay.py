"""Replays each desk from events alone, for invariants 3, 5, 6 and 7."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from checker.facts.asks import Ask
from checker.facts.chains import Desk
from checker.facts.conversation import Conversation
from checker.facts.desk_log import Step
from checker.facts.desk_state import DeskState
from checker.invariants.answered import Answers
from checker.invariants.care import Care
from checker.invariants.dealing import Dealing
from checker.invariants.eligibility import Eligibility
from checker.invariants.moves import Moves
from checker.invariants.named import Named
from checker.invariants.openings import Openings
from checker.invariants.races import Races
from checker.invariants.rights import Rights
from checker.invariants.rotation import Rotation
from checker.record import Place
from checker.report import Tally


class Replay:
    """All desks, one after the other. `conversations` is how each stands in the end, by its id."""

    def __init__(self, answers: Answers, vacated: Mapping[Place, tuple[str, str]]) -> None:
        self.conversations: dict[str, Conversation] = {}
        self._moves = Moves()
        self._care = Care()
        self._rotation = Rotation()
        self._named = Named(answers, vacated)
        self._races = Races(answers)
        self._eligibility = Eligibility()
        self._dealing = Dealing()
        self._openings = Openings()
        self._rights = Rights(answers)

    @property
    def tallies(self) -> list[Tally]:
        watchers = (self._moves, self._care, self._rotation, self._named, self._races, self._eligibility)
        others = (self._dealing, self._openings, self._rights)
        return [tally for watcher in (*watchers, *others) for tally in watcher.tallies]

    def run(self, logs: Mapping[Desk, list[Step]]) -> None:
        """Replay every desk."""
        for steps in logs.values():
            self._desk(steps)

    def _desk(self, steps: list[Step]) -> None:
        state = DeskState()
        self._rotation.begin()
        self._openings.begin()
        numbered = enumerate(steps)
        for _, decision in groupby(numbered, key=lambda each: each[1].offset):
            self._decision(state, list(decision))
        self._rotation.end(state)
        self._care.end(state)
        self.conversations |= state.conversations

    def _decision(self, state: DeskState, decision: list[tuple[int, Step]]) -> None:
        """What was asked, all events of it, then what must hold after it."""
        ask = decision[0][1].ask
        if ask is not None:
            state.at_ms = max(state.at_ms, ask.at_ms)
            self._races.before(state, ask)
            self._named.asked(ask)
            self._rights.asked(state, ask)
        for number, step in decision:
            if step.roster is not None:
                state.change(step.roster, number)
            elif step.link is not None:
                self._event(state, step, number, ask)
        if ask is not None:
            self._races.after(state, ask, [step for _, step in decision])
        self._moves.after(state, decision[-1][1])
        self._openings.after(state, decision[-1][1])
        self._eligibility.after(state, decision[-1][1])

    def _event(self, state: DeskState, step: Step, number: int, ask: Ask | None) -> None:
        chain, link = step.chain, step.link
        if chain is None or link is None:
            return
        state.at_ms = max(state.at_ms, link.at_ms)
        self._moves.before(state, chain, link)
        self._care.before(state, chain, link, ask)
        self._named.event(chain, link, ask)
        self._rights.before(state, chain, link, ask)
        self._dealing.before(state, chain, link)
        self._rotation.before(state)
        self._eligibility.before(state, chain, link)
        self._rotation.turn(state, chain, link, number)
        state.follow(chain, link)
