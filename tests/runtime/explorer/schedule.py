"""A schedule that somebody has written down: what happens, step by step, by its name."""

from __future__ import annotations

from collections.abc import Iterable

from tests.runtime.explorer.names import renamed
from tests.runtime.explorer.surroundings import moves
from tests.runtime.explorer.world import World


def follow(start: World, schedule: Iterable[str]) -> World:
    """Where it leads. Raises LookupError when a step of it cannot be taken any more."""
    world = start
    for number, step in enumerate(schedule, 1):
        possible = {move.name: move.world for move in moves(world)}
        if step not in possible:
            raise LookupError(f"step {number}, {step!r}, is not one of {sorted(possible)}")
        world = renamed(possible[step])
    return world
