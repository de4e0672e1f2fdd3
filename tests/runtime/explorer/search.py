"""Breadth first through all states; then backwards from the good ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tests.runtime.explorer.names import renamed
from tests.runtime.explorer.surroundings import moves
from tests.runtime.explorer.world import World


class TooManyStatesError(Exception):
    """The bounds are too wide to be explored within the limit of states."""


@dataclass(frozen=True)
class Found:
    """What an exploration found. `wrong` none: nothing is wrong."""

    states: int
    transitions: int
    wrong: str | None = None
    path: tuple[str, ...] = ()
    """The shortest way to where it is wrong."""

    def __str__(self) -> str:
        told = f"{self.states:,} states, {self.transitions:,} transitions"
        if self.wrong is None:
            return f"{told}, nothing wrong"
        steps = "".join(f"\n {number:3} {name}" for number, name in enumerate(self.path, 1))
        return f"{told}, wrong: {self.wrong}{steps}"


@dataclass
class Search:
    """The states seen so far. Numbers stand for states in the order in which they were found.

    `numbers` has each state under its own name and under those that it was found with.
    """

    limit: int
    numbers: dict[World, int] = field(default_factory=dict)
    came_from: list[tuple[int, str]] = field(default_factory=list)
    certain_before: list[list[int]] = field(default_factory=list)
    """From which states each is reached without a fault."""
    good: list[int] = field(default_factory=list)
    transitions: int = 0

    def explore(self, start: World) -> Found:
        """Look at everything that can happen from `start`; stops at the first thing that is wrong."""
        queue = deque([start])
        self._number(start, 0, "")
        here = -1
        while queue:
            world = queue.popleft()
            here += 1  # states leave the queue in the order of their numbers
            for name, after, certain in moves(world):
                self.transitions += 1
                states = len(self.came_from)
                there = self._number(after, here, name)
                if after.wrong is not None:
                    return self._found(after.wrong, there)
                if certain:
                    self.certain_before[there].append(here)
                if there == states:
                    queue.append(renamed(after))
        return self._without_good_end()

    def _number(self, world: World, before: int, name: str) -> int:
        """The number of the state that stands for `world`, found now or before."""
        known = self.numbers.get(world)
        if known is not None:
            return known
        number = self.numbers.setdefault(renamed(world), len(self.came_from))
        self.numbers[world] = number
        if number == len(self.came_from):
            if number >= self.limit:
                raise TooManyStatesError(f"more than {self.limit:,} states: make the bounds smaller")
            self.came_from.append((before, name))
            self.certain_before.append([])
            if world.is_done:
                self.good.append(number)
        return number

    def _without_good_end(self) -> Found:
        """Is there a state from which not everything gets published, though nothing fails any more?"""
        reached = bytearray(len(self.came_from))
        stack = self.good
        for number in stack:
            reached[number] = 1
        while stack:
            for before in self.certain_before[stack.pop()]:
                if not reached[before]:
                    reached[before] = 1
                    stack.append(before)
        stuck = reached.find(0)
        return self._found(None if stuck < 0 else "from here not everything is ever published", stuck)

    def _found(self, wrong: str | None, number: int) -> Found:
        path: list[str] = []
        while wrong is not None and number > 0:
            number, name = self.came_from[number]
            path.append(name)
        return Found(len(self.came_from), self.transitions, wrong, tuple(reversed(path)))


def explore(start: World, *, limit: int = 2_000_000) -> Found:
    """Everything that can happen from `start`. Raises TooManyStatesError."""
    return Search(limit).explore(start)
