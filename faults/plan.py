"""Which runs make a campaign: each some faults, a seed, and so many messages around each of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from faults.catalogue import KINDS, TOGETHER, needs_of, rate_around

OFTEN = ("kill", "terminate", "freeze", "broker_crash", "postgres_crash", "partition", "lost_reply", "storm")
"""Kinds that happen to everybody."""
SELDOM = tuple(kind for kind in KINDS if kind not in OFTEN)
OFTEN_SEEDS, OFTEN_MESSAGES = 20, 10_000
SELDOM_SEEDS, SELDOM_MESSAGES = 5, 5_000
AT_ONCE = 3
"""So many, of any kind, come one upon the other in the last phase of those that are seldom."""
PAUSE_S = 1.0
RATE_PER_S = 200.0
"""Where somebody asks for a time only."""
LONG_MESSAGES, LONG_S = 100_000, 170.0
SOAK_MESSAGES, SOAK_S = 1_000_000, 1_800.0
SOAKED = tuple(KINDS[kind][0] for kind in ("kill", "terminate", "freeze", "broker_crash", "postgres_crash"))
"""What is combined for as long as the longest run lasts."""
SHORT_MESSAGES = 2_000
AROUND_S = 45.0
"""A run takes about so long beside its phases: servers and workers start, all leaves, is checked."""
CHECKED_PER_S = 4_000.0

Faults = tuple[str, ...]
"""What happens in turn while the messages of one phase flow."""


@dataclass(frozen=True)
class Task:
    """One run, phase after phase; each has so many messages.

    They flow about as long as the phase's faults last, or at `rate_per_s`. Faults of one phase come
    one upon the other; with `repeat` over and over until all is sent, each when the one before is over.
    With `spare` one worker of each kind is hit by none that picks workers.
    """

    phases: tuple[Faults, ...]
    seed: int
    messages: int
    rate_per_s: float | None = None
    repeat: bool = False
    spare: bool = False

    @property
    def name(self) -> str:
        """Names its folder too: the same name is the same run."""
        faults = ".".join("+".join(each) for each in self.phases)
        return f"{faults}-{self.messages}{'-repeated' if self.repeat else ''}-seed-{self.seed}"

    @property
    def expected_s(self) -> float:
        """About how long it takes, to tell how much is left of a campaign."""
        sent = self.messages * len(self.phases)
        rates = (self.rate_per_s or rate_around(faults, self.messages) for faults in self.phases)
        flowing_s = sum(self.messages / rate for rate in rates)
        return AROUND_S + flowing_s + sent / CHECKED_PER_S

    def arguments(self, folder: Path) -> list[str]:
        """What `python -m faults.spine` is told."""
        return [
            *("--faults", "/".join(",".join(each) for each in self.phases)),
            *("--seed", str(self.seed), "--messages", str(self.messages)),
            *(("--rate", str(self.rate_per_s)) if self.rate_per_s else ()),
            *("--pause", str(PAUSE_S), "--recover", "--folder", str(folder)),
            *(() if self.repeat else ("--once",)),
            *(("--spare",) if self.spare else ()),
        ]

    def alone(self, numbers: Collection[int]) -> list[Task]:
        """These phases, by their places in it, each in a run of its own."""
        return [replace(self, phases=(self.phases[number],)) for number in sorted(numbers)]


def full_plan() -> list[Task]:
    """Everything: for hours."""
    soak = Task((SOAKED,), 1, SOAK_MESSAGES, SOAK_MESSAGES / SOAK_S, repeat=True, spare=True)
    return [
        *_seeded(OFTEN, OFTEN_SEEDS, OFTEN_MESSAGES),
        *_seeded(SELDOM, SELDOM_SEEDS, SELDOM_MESSAGES, then=_any_three),
        soak,
        *_long(),
    ]


def short_plan() -> list[Task]:
    """Each fault once: for about half an hour."""
    faults = [(fault,) for each in KINDS.values() for fault in each]
    alone = [each for each in faults if not _together(each)]
    others = [each for each in faults if _together(each)]
    rows = [tuple(others[begin : begin + len(OFTEN)]) for begin in range(0, len(others), len(OFTEN))]
    return [Task(phases, 1, SHORT_MESSAGES) for phases in (*rows, *((each,) for each in alone))]


def _seeded(
    kinds: Sequence[str], seeds: int, messages: int, then: Callable[[int], Faults] | None = None
) -> Iterator[Task]:
    """For each seed the kinds in turn, in any order; those with needs of their own are alone in their run.

    The seeds go round the faults of a kind. `then` says what the last phase of a seed is.
    """
    for seed in range(1, seeds + 1):
        phases = [(KINDS[kind][seed % len(KINDS[kind])],) for kind in kinds]
        together = [phase for phase in phases if _together(phase)]
        random.Random(seed).shuffle(together)
        last = [then(seed)] if then else []
        yield Task((*together, *last), seed, messages)
        yield from (Task((phase,), seed, messages) for phase in phases if not _together(phase))


def _any_three(seed: int) -> Faults:
    """Faults of any kinds."""
    kinds = [faults for faults in KINDS.values() if _together(faults)]
    chance = random.Random(seed)
    return tuple(chance.choice(faults) for faults in chance.sample(kinds, AT_ONCE))


def _long() -> Iterator[Task]:
    """All faults of a kind, again and again."""
    for faults in KINDS.values():
        yield Task((faults,), 1, LONG_MESSAGES, LONG_MESSAGES / LONG_S, repeat=True)


def _together(faults: Faults) -> bool:
    return needs_of(faults) <= TOGETHER
