"""All that a desk decided, in the order of its decisions: what was asked, and the events of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from checker.facts.asks import Ask
from checker.facts.chains import Chain, Chains, Desk, Link
from checker.facts.commands import Commands
from checker.facts.event_ids import ordinals
from checker.facts.roster import RosterEvent
from checker.record import Place, shown
from checker.report import Tally

ASKED = -1


class Step(NamedTuple):
    """What was asked of a desk, or one event of it: of its roster, or of a chain.

    Steps sort into the order of decisions.
    """

    offset: int
    """Of the command that it was decided on."""
    ordinal: int
    """Its number among the events of that command; what was asked comes before them."""
    place: Place
    ask: Ask | None = None
    roster: RosterEvent | None = None
    chain: Chain | None = None
    link: Link | None = None

    @property
    def id(self) -> str:
        """The event's."""
        return self.link.id if self.link else self.roster.id if self.roster else ""

    @property
    def where(self) -> str:
        """How a witness names what stands when its command has been carried out."""
        return f"after the command at offset {self.offset}"


class DeskLogs:
    """The steps of each desk in order."""

    def __init__(
        self, chains: Chains, roster: Iterable[RosterEvent], commands: Commands, log_id: str
    ) -> None:
        self._log_id = log_id
        self.caused = Tally(4, "each roster event was caused by a command of its desk")
        self.numbered = Tally(4, "each event of a desk has the id of its number among those of its command")
        self.of: dict[Desk, list[Step]] = defaultdict(list)
        found: dict[tuple[Desk, Place], list[Step]] = defaultdict(list)
        for desk, cause, step in self._events(chains, roster, commands):
            found[desk, cause].append(step)
        for (desk, cause), steps in found.items():
            self.of[desk].extend(self._numbered(cause, steps))
        for ask in commands.asks:
            self.of[ask.asker[0], ask.asker[1]].append(Step(ask.place[1], ASKED, ask.place, ask=ask))
        for steps in self.of.values():
            steps.sort(key=lambda step: step[:3])

    @property
    def tallies(self) -> list[Tally]:
        return [self.caused, self.numbered]

    def _events(
        self, chains: Chains, roster: Iterable[RosterEvent], commands: Commands
    ) -> Iterator[tuple[Desk, Place, Step]]:
        for event in roster:
            cause = commands.cause_of(event)
            fault = "" if cause is not None else "no command of that place and time"
            self.caused.judge(event.place[::-1], fault, f"roster {shown(event.place)}")
            cause = cause or event.cause or (0, ASKED)
            yield event.desk, cause, Step(cause[1], 0, event.place, roster=event)
        for chain in chains.values():
            for link in chain.links:
                step = Step(link.cause_offset, 0, (chain.partition, link.offset), chain=chain, link=link)
                yield (chain.workspace, chain.desk), (link.cause_partition, link.cause_offset), step

    def _numbered(self, cause: Place, steps: list[Step]) -> Iterator[Step]:
        """The steps of one command, each with its number; a strange one comes at the end."""
        numbers = ordinals(self._log_id, cause, [step.id for step in steps])
        for step in steps:
            fault = "" if step.id in numbers else f"{step.id} is no event of commands {shown(cause)}"
            self.numbered.judge((step.offset, *step.place), fault)
            yield step._replace(ordinal=numbers.get(step.id, 2 * len(steps)))
