"""What was checked, how often, and the smallest witness of each violation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Rank = tuple[int, ...]
"""How large a witness is: a short conversation, a low offset come first."""


class Tally:
    """One check: its count, its violations, and the smallest witness among them.

    Args:
        invariant: its number in the design; 0: what the sender was promised.
        title: what must hold, as a sentence.
    """

    def __init__(self, invariant: int, title: str) -> None:
        self.invariant = invariant
        self.title = title
        self.checked = 0
        self.violations = 0
        self.facts: dict[str, Any] = {}
        self._rank: Rank = ()
        self.witness: str | None = None

    def fail(self, rank: Rank, witness: str) -> None:
        """Count a violation. `witness` names what was found and where."""
        self.violations += 1
        if self.witness is None or rank < self._rank:
            self._rank, self.witness = rank, witness

    @property
    def holds(self) -> bool:
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        """The shape of one entry of the report."""
        return {
            "invariant": self.invariant,
            "title": self.title,
            "holds": self.holds,
            "checked": self.checked,
            "violations": self.violations,
            "witness": self.witness,
            **self.facts,
        }

    def as_text(self) -> str:
        """A line or two for a person."""
        facts = "".join(f", {name} {value}" for name, value in self.facts.items())
        mark = "ok  " if self.holds else "FAIL"
        line = f"{mark}  {self.invariant}  {self.title}: {self.checked} checked{facts}"
        if self.holds:
            return line
        return f"{line}, {self.violations} violated\n         {self.witness}"


class Report:
    """All tallies of one run."""

    def __init__(self, tallies: Iterable[Tally], counts: dict[str, int], seconds: float) -> None:
        self.tallies = sorted(tallies, key=lambda tally: tally.invariant)
        self.counts = counts
        self.seconds = seconds

    @property
    def holds(self) -> bool:
        return all(tally.holds for tally in self.tallies)

    def as_json(self) -> dict[str, Any]:
        """`{"holds": …, "counts": {…}, "checks": […], "seconds": …}`."""
        return {
            "holds": self.holds,
            "counts": self.counts,
            "checks": [tally.as_json() for tally in self.tallies],
            "seconds": round(self.seconds, 1),
        }

    def as_text(self) -> str:
        """The report for a person, the verdict last."""
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        verdict = "everything holds" if self.holds else "VIOLATED"
        lines = [tally.as_text() for tally in self.tallies]
        return "\n".join([counts, *lines, f"{verdict} ({self.seconds:.1f} s)"])
