"""Whether an exploration finds what somebody has broken."""

from __future__ import annotations

from tests.runtime.explorer.search import Found, explore
from tests.runtime.explorer.world import NONE, first


def found(*budget: str, units: str = "rt") -> Found:
    """What an exploration finds, when one of each of these may happen."""
    one = explore(first(2, units.split(","), NONE._replace(**dict.fromkeys(budget, 1))))
    print(one)  # noqa: T201  the way to it: shown by pytest -rP, or when a test fails
    return one


def caught(*budget: str, units: str = "rt") -> Found:
    """The same; it must be something, and the way to it."""
    one = found(*budget, units=units)
    assert one.wrong is not None, f"the mutant lives: {one}"
    assert one.path
    return one
