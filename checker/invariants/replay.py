"""Replays each desk from events alone, for invariants 5 and 7."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from checker.facts.chains import Desk
from checker.facts.desk_log import Step
from checker.facts.desk_state import DeskState
from checker.invariants.eligibility import Eligibility
from checker.invariants.rotation import Rotation
from checker.report import Tally


class Replay:
    """All desks, one after the other."""

    def __init__(self) -> None:
        self._eligibility = Eligibility()
        self._rotation = Rotation()

    @property
    def tallies(self) -> list[Tally]:
        return [*self._rotation.tallies, *self._eligibility.tallies]

    def run(self, logs: Mapping[Desk, list[Step]]) -> None:
        """Replay every desk."""
        for steps in logs.values():
            self._desk(steps)

    def _desk(self, steps: list[Step]) -> None:
        state = DeskState()
        self._rotation.begin()
        numbered = enumerate(steps)
        for _, decision in groupby(numbered, key=lambda each: each[1].offset):
            self._decision(state, list(decision))
        self._rotation.end(state)

    def _decision(self, state: DeskState, decision: list[tuple[int, Step]]) -> None:
        """All events of one command, then what must hold after it."""
        for number, step in decision:
            if step.roster is not None:
                state.change(step.roster, number)
            elif step.chain is not None and step.link is not None:
                self._rotation.before(state)
                self._eligibility.before(state, step.chain, step.link)
                self._rotation.turn(state, step.chain, step.link, number)
                state.follow(step.chain, step.link, number)
        self._eligibility.after(state, decision[-1][1])
