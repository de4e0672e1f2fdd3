"""What came of a disaster, once it was recovered: for a person, and as a line of a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from faults.table import markdown

HEAD = (
    "disaster",
    "lanes stopped",
    "records read again",
    "events published by recover",
    "known to readers",
    "records given up",
    "worked off, s",
    "wrong",
    "when",
)


@dataclass
class Outcome:
    """What came of one disaster."""

    name: str
    stopped: dict[str, str] = field(default_factory=dict)
    """Reasons, by lane."""
    recovered: list[dict[str, Any]] = field(default_factory=list)
    healed_s: float | None = None
    problems: list[str] = field(default_factory=list)
    violated: dict[str, str] = field(default_factory=dict)
    """Witnesses of what the disaster is known to destroy, by the check's title."""

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Records read again, events published by recover, known to readers, records given up."""
        repeated, published, ahead = (
            sum(one[name] for one in self.recovered) for name in ("repeated", "published", "known_ahead")
        )
        return repeated, published, ahead, sum(sum(one["skipped"].values()) for one in self.recovered)

    def told(self) -> str:
        """For a person."""
        repeated, published, ahead, given_up = self.counts
        first = (
            f"{self.name}: {len(self.stopped)} lanes stopped; {repeated} records read again, {published} "
            f"events published by recover, {ahead} known to readers, {given_up} records given up; healed in "
            f"{self.healed_s} s"
        )
        lines = [
            first,
            *(f"  as known  {title}: {witness:.300}" for title, witness in self.violated.items()),
            *(f"  WRONG     {problem:.500}" for problem in self.problems),
        ]
        return "\n".join(lines)

    def row(self, when: str) -> str:
        """A line of the table, below `HEAD`; `when` it was, and which version."""
        wrong = "; ".join(self.problems).replace("|", "/") or "nothing"
        counts = (f"{count:,}" for count in self.counts)
        return markdown((f"`{self.name}`", str(len(self.stopped)), *counts, str(self.healed_s), wrong, when))
