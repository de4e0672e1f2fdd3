"""What was checked, how often, and the smallest witness of each violation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MARKS = {True: "ok  ", False: "FAIL", None: "?   "}
"""Before a check's title, by whether it holds."""

_VERDICTS = {True: "everything holds", False: "VIOLATED", None: "nothing to look at: nothing is known"}

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

    def judge(self, rank: Rank, fault: str, where: str = "") -> None:
        """Count one look, and a violation when there is a fault; `where` it is stands before it."""
        self.checked += 1
        if fault:
            self.fail(rank, f"{where}: {fault}" if where else fault)

    def fail(self, rank: Rank, witness: str) -> None:
        """Count a violation. `witness` names what was found and where."""
        self.violations += 1
        if self.witness is None or rank < self._rank:
            self._rank, self.witness = rank, witness

    @property
    def violated(self) -> bool:
        return self.violations > 0

    @property
    def holds(self) -> bool | None:
        """None: there was nothing to look at, so that nothing is known of it."""
        return None if not self.checked and not self.violated else not self.violated

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
        line = f"{MARKS[self.holds]}  {self.invariant}  {self.title}: {self.checked} checked{facts}"
        if not self.violated:
            return line
        return f"{line}, {self.violations} violated\n         {self.witness}"


class Report:
    """All tallies of one run."""

    def __init__(self, tallies: Iterable[Tally], counts: dict[str, int], seconds: float) -> None:
        self.tallies = sorted(tallies, key=lambda tally: tally.invariant)
        self.counts = counts
        self.seconds = seconds

    @property
    def holds(self) -> bool | None:
        """Whether all that was looked at holds; none: nothing was."""
        found = {tally.holds for tally in self.tallies}
        return False if False in found else True if True in found else None

    @property
    def unknown(self) -> int:
        """How many checks had nothing to look at."""
        return sum(tally.holds is None for tally in self.tallies)

    def as_json(self) -> dict[str, Any]:
        """`{"holds": …, "unknown": …, "counts": {…}, "checks": […], "seconds": …}`; null is unknown."""
        return {
            "holds": self.holds,
            "unknown": self.unknown,
            "counts": self.counts,
            "checks": [tally.as_json() for tally in self.tallies],
            "seconds": round(self.seconds, 1),
        }

    def as_text(self) -> str:
        """The report for a person, the verdict last."""
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        verdict = _VERDICTS[self.holds]
        if self.holds and self.unknown:
            verdict += f"; of {self.unknown} checks nothing is known, there was nothing to look at"
        lines = [tally.as_text() for tally in self.tallies]
        return "\n".join([counts, *lines, f"{verdict} ({self.seconds:.1f} s)"])
