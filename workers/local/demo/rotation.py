"""How even round robin was, from the assignment events alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Turn(NamedTuple):
    """One turn of a rule: its place in the log that the desk decides by, and who had it."""

    partition: int
    offset: int
    seq: int
    agent: str


class Rotation:
    """Collects turns by rule, in whatever order the events come."""

    def __init__(self) -> None:
        self._turns: dict[tuple[str, str, str], list[Turn]] = defaultdict(list)
        self._passed_over: dict[tuple[str, str, str], set[str]] = defaultdict(set)

    def see(self, event: Mapping[str, Any]) -> None:
        """Take the value of an `assigned` event."""
        why, cause = event["why"], event["cause"]
        if why["method"] != "round_robin":
            return
        rule = (event["workspace"], event["desk"], why["rule"])
        turn = Turn(cause["partition"], cause["offset"], event["seq"], event["holder"])
        self._turns[rule].append(turn)
        self._passed_over[rule] |= {
            candidate["agent"] for candidate in why["candidates"] if candidate.get("passed_over")
        }

    def spread_max(self, rings: Mapping[tuple[str, str, str], Iterable[str]]) -> int:
        """The largest difference, at any moment, between the counts of two agents eligible throughout.

        Args:
            rings: the agents of each rule (by workspace, desk, rule) who could have turns all the time.
        """
        return max(
            (
                spread(
                    [turn.agent for turn in sorted(turns)], set(rings.get(rule, ())) - self._passed_over[rule]
                )
                for rule, turns in self._turns.items()
            ),
            default=0,
        )


def spread(turns: Iterable[str], agents: set[str]) -> int:
    """The largest difference between two of these agents' counts after any prefix of the turns."""
    counts = dict.fromkeys(agents, 0)
    widest = 0
    for agent in turns:
        if agent in counts:
            counts[agent] += 1
            widest = max(widest, counts[agent] - min(counts.values()))
    return widest
