"""Ratios of pairs that ran side by side, and whether they became worse: pure.

A ratio is what ours took divided by what the other took beside it, so less is better. Absolute figures move
by two times from one hour to the next; these hold longer, and from one machine to a like one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple

Verdict = Literal["slower", "as before", "faster", "new"]


@dataclass(frozen=True)
class Spread:
    """One ratio of each pair, in the order in which they ran."""

    pairs: tuple[float, ...]

    @property
    def median(self) -> float:
        """What is compared."""
        return median(self.pairs)

    @property
    def least(self) -> float:
        """The best pair."""
        return min(self.pairs)

    @property
    def most(self) -> float:
        """The worst pair."""
        return max(self.pairs)


class Judged(NamedTuple):
    """A ratio as it was recorded and as it is now."""

    name: str
    recorded: Spread | None
    found: Spread
    verdict: Verdict

    @property
    def change(self) -> float | None:
        """By how much the median became worse: 0.1 is a tenth more."""
        return None if self.recorded is None else self.found.median / self.recorded.median - 1


def judge(recorded: Mapping[str, Spread], found: Mapping[str, Spread], tolerance: float) -> Iterator[Judged]:
    """What to say of each ratio that was found; `tolerance`: 0.1 lets the median be a tenth worse."""
    for name, now in found.items():
        before = recorded.get(name)
        yield Judged(name, before, now, "new" if before is None else _verdict(before, now, tolerance))


def _verdict(before: Spread, now: Spread, tolerance: float) -> Verdict:
    """Only when no pair of now is like any of before: chance alone moves medians of a few pairs."""
    if now.least > before.most and now.median > before.median * (1 + tolerance):
        return "slower"
    if now.most < before.least and now.median < before.median * (1 - tolerance):
        return "faster"
    return "as before"
