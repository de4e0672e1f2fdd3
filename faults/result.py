"""What came of a run: of each of its phases, and of all of it."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from faults.catalogue import MAY_END
from faults.recovery import RECOVERED_S

HEAL_S = 60.0
"""After the last fault the lag must be zero within this time, and that of draining what had piled up."""
QUIET_S = 90.0
"""Longer than a desk waits for a sign of a lost gateway, and a transfer for its answer."""
MISSED = "never hit anything: nothing is known of it"
IN_ORDER = (0, -signal.SIGTERM)
"""SIGTERM ends a worker that is still starting, before it has anything to give up."""
_KILLED = (-signal.SIGKILL, *IN_ORDER)

Line = dict[str, Any]
"""One line of the run's history."""


@dataclass
class Phase:
    """A part of a run: some faults, and the messages around them."""

    names: Sequence[str]
    """Of its faults."""
    began_ms: int
    """By the clock."""
    sent: dict[str, int]
    took_s: float
    drained: Line | None
    """Once everything was sent: `seconds` until it was worked off, or none and what was `wrong`; if asked."""
    faults: list[Line]
    """Each that happened, and whether it has hit."""
    recoveries: list[Line]
    """After each fault for which that was asked: `seconds`, or none and what was `wrong`."""
    crashes: list[str]
    """Workers that ended though nobody had killed or stopped them, with their codes."""
    missed: list[str]
    """Faults that have never hit."""

    @classmethod
    def of(cls, lines: Sequence[Line], sent: dict[str, int], names: Sequence[str]) -> Phase:
        """From what the history says of it: its first line is that it began, its last one that it ended."""
        faults = [line for line in lines if line["what"] == "fault"]
        hits = {fault["name"] for fault in faults if fault["hit"]}
        return cls(
            names=names,
            began_ms=lines[0]["clock_ms"],
            sent=sent,
            took_s=round(lines[-1]["at_s"] - lines[0]["at_s"], 1),
            drained=next((line for line in lines if line["what"] == "drained"), None),
            faults=faults,
            recoveries=[line for line in lines if line["what"] == "recovered"],
            crashes=[
                f"{line['worker']} with {line['code']}"
                for line in lines
                if line["what"] == "ended" and line["code"] not in _KILLED
            ],
            missed=sorted(set(names) - hits),
        )

    @property
    def unhealed(self) -> list[str]:
        """What was not as before in time."""
        late = [
            f"{RECOVERED_S:.0f} s after {one['name']}: {one['wrong']}"
            for one in self.recoveries
            if one["wrong"]
        ]
        if self.drained and self.drained["wrong"]:
            late.append(f"{RECOVERED_S:.0f} s after all was sent: {self.drained['wrong']}")
        if self.recoveries and not set(self.names) & MAY_END:
            late += [f"{crash}, of itself" for crash in self.crashes]
        return late


@dataclass
class Result:
    """What came of a run."""

    seed: int
    phases: list[Phase]
    unknown: int
    agents: dict[str, Any]
    """What they did and were told, counted."""
    restarts: int
    heal_s: float | None
    at_rest: bool
    """Whether nothing was left to do once everybody had gone."""
    stopped: dict[str, object]
    report: dict[str, Any]
    """Of the checker. A check that does not hold says in which `phase`, by its number, if that is known."""
    took_s: float = field(default=0.0)
    commit: str = field(default="unknown")
    """Which version was tried."""
    began: str = field(default="")
    """When, by the clock (ISO 8601, UTC)."""
    machine: dict[str, Any] = field(default_factory=dict)
    """Where."""
    others_share: float = field(default=0.0)
    """How much of the processors others had meanwhile: who got little of them could not be in time."""

    @property
    def problems(self) -> list[str]:
        """Why the run does not count as passed; empty when everything holds.

        Who misses one of several phases has it to do again, alone: that is no fault of the system's.
        """
        found = [
            f"{check['title']}: {check['witness']}{self._during(check['phase'])}" for check in self._violated
        ]
        found += self.unhealed
        found += [f"{late}{self._during(number)}" for number, late in self._late]
        if len(self.phases) == 1:
            found += [f"{name} {MISSED}" for name in self.phases[0].missed]
        return found

    @property
    def unhealed(self) -> list[str]:
        """What was not right at the end."""
        found = []
        if self.heal_s is None:
            found.append(f"the lag was not zero {HEAL_S:.0f} s after the last fault, with time to drain")
        if not self.at_rest:
            found.append(f"something was left to do {QUIET_S:.0f} s after everybody had gone")
        return found + [
            f"{name} ended with {code}" for name, code in self.stopped.items() if code not in IN_ORDER
        ]

    @property
    def suspects(self) -> list[int]:
        """The phases, by their numbers, that must be seen alone: all, when nobody knows which it was."""
        named = [check["phase"] for check in self._violated]
        if None in named or self.unhealed:
            return list(range(len(self.phases)))
        missed = [number for number, phase in enumerate(self.phases) if phase.missed]
        return sorted({*named, *missed, *(number for number, _ in self._late)})

    def as_json(self) -> bytes:
        """For `faults.record`."""
        more = {"unhealed": self.unhealed, "problems": self.problems, "suspects": self.suspects}
        phases = [asdict(phase) | {"unhealed": phase.unhealed} for phase in self.phases]
        return orjson.dumps(asdict(self) | more | {"phases": phases}, option=orjson.OPT_INDENT_2)

    @property
    def _violated(self) -> list[dict[str, Any]]:
        return [check for check in self.report["checks"] if check["holds"] is False]

    @property
    def _late(self) -> list[tuple[int, str]]:
        return [(number, late) for number, phase in enumerate(self.phases) for late in phase.unhealed]

    def _during(self, number: int | None) -> str:
        if number is None or len(self.phases) == 1:
            return ""
        return f" (while {', '.join(self.phases[number].names)})"
