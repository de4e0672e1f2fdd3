"""All that a desk decided, in the order of its decisions: roster changes and assignment events together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.chains import Chain, Chains, Desk, Link
from checker.facts.commands import Commands
from checker.facts.roster import RosterEvent
from checker.record import shown
from checker.report import Tally

_FIRST = {"session_opened", "session_closed"}


class Step(NamedTuple):
    """One event of a desk: of its roster, or of a chain. Steps sort into the order of decisions."""

    offset: int
    """Of the command that it was decided on."""
    phase: int
    """Within one command: the roster first, then sessions, then who gets what."""
    waited_since: int
    """The offset at which its conversation began to wait: first in, first out."""
    place: tuple[int, int]
    roster: RosterEvent | None = None
    chain: Chain | None = None
    link: Link | None = None


def desk_logs(
    chains: Chains, roster: Iterable[RosterEvent], commands: Commands
) -> tuple[dict[Desk, list[Step]], Tally]:
    """The steps of each desk in order; the tally says whether each roster event has its command."""
    tally = Tally(4, "each roster event was caused by a command of its desk")
    logs: dict[Desk, list[Step]] = {}
    for event in roster:
        tally.checked += 1
        offset = commands.cause_of(event)
        if offset is None:
            tally.fail(event.place[::-1], f"roster {shown(event.place)}: no command of that place and time")
        step = Step(-1 if offset is None else offset, 0, 0, event.place, roster=event)
        logs.setdefault(event.desk, []).append(step)
    for chain in chains.values():
        logs.setdefault((chain.workspace, chain.desk), []).extend(_steps(chain))
    for steps in logs.values():
        steps.sort(key=lambda step: step[:4])
    return logs, tally


def _steps(chain: Chain) -> Iterable[Step]:
    waited_since = 0
    for link in chain.links:
        if link.what == "queued" and not waited_since:
            waited_since = link.cause_offset + 1
        yield Step(
            offset=link.cause_offset,
            phase=1 if link.what in _FIRST else 2,
            waited_since=waited_since if link.was_queued else 0,
            place=(chain.partition, link.offset),
            chain=chain,
            link=link,
        )
        if link.standing != "queued":
            waited_since = 0
