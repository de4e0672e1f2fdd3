"""What became of a record: in a transcript, with somebody sought or found for it, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.assignments import Standing
from workers.conformance.verdict import Fault, Rule, Verdict, judge

OUTCOME = Rule(
    "outcome",
    "each message comes into its transcript, and the desk says who has it",
    "the reason says what to mend: tongdai deadletter show tells all of it",
    "send a message while the routing worker runs",
)

Became = Literal["stored", "refused", "skipped", "waiting"]
"""`skipped`: nothing that a transcript holds; `waiting`: the workers had not come so far."""


class Fate(NamedTuple):
    """How one record fared."""

    place: str
    key: str
    id: str
    """The channel's id of its message; empty: it is none."""
    became: Became
    position: int | None = None
    """In its transcript."""
    standing: Standing | None = None
    """Of its conversation."""
    holder: str | None = None
    reason: str | None = None
    """As schemas.deadletter.Reason."""
    detail: str = ""

    @property
    def text(self) -> str:
        """For people."""
        match self.became:
            case "stored":
                return (
                    f"stored as line {self.position}, {_STANDS[self.standing or 'idle']}{self.holder or ''}"
                )
            case "refused":
                return f"refused, {self.reason}: {self.detail}"
            case "skipped":
                return "passed over: it is nothing that a transcript holds"
        return "not taken yet: does the routing worker run?"


_STANDS: dict[Standing, str] = {
    "idle": "nobody is wanted for it",
    "queued": "waits in the queue",
    "offered": "is offered",
    "held": "is with ",
}


def check_fates(fates: Sequence[Fate]) -> Verdict:
    """The rule about outcomes."""
    told = [fate for fate in fates if fate.became != "skipped"]
    return judge(
        OUTCOME, len(told), [Fault(each.place, each.text) for each in told if each.became != "stored"]
    )
