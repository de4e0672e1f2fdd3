"""Which runs make a campaign: each some faults, a seed, and so many messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faults.catalogue import KINDS

OFTEN = ("kill", "terminate", "freeze", "broker_crash", "postgres_crash", "partition", "lost_reply", "storm")
"""Kinds that happen to everybody."""
OFTEN_SEEDS, OFTEN_MESSAGES = 20, 10_000
SELDOM_SEEDS, SELDOM_MESSAGES = 5, 5_000
LONG_MESSAGES, LONG_S = 100_000, 240.0
SOAK_MESSAGES, SOAK_S = 1_000_000, 1_800.0
SOAKED = tuple(KINDS[kind][0] for kind in ("kill", "terminate", "freeze", "broker_crash", "postgres_crash"))
"""What is combined for as long as the longest run lasts."""
SHORT_MESSAGES = 2_000
RATE_PER_S = 200.0
AROUND_S = 75.0
"""A run takes about so long beside sending: servers and workers start, all recovers, leaves, is checked."""


@dataclass(frozen=True)
class Task:
    """One run. Its faults happen in turn; with `repeat`, over and over until all is sent."""

    faults: tuple[str, ...]
    seed: int
    messages: int
    rate_per_s: float = RATE_PER_S
    repeat: bool = False

    @property
    def name(self) -> str:
        """Names its folder too: the same name is the same run."""
        kind = "+".join(self.faults)
        return f"{kind}-{self.messages}{'-repeated' if self.repeat else ''}-seed-{self.seed}"

    @property
    def expected_s(self) -> float:
        """About how long it takes, to tell how much is left of a campaign."""
        return AROUND_S + self.messages / self.rate_per_s

    def arguments(self, folder: Path) -> list[str]:
        """What `python -m faults.spine` is told."""
        return [
            *("--faults", ",".join(self.faults), "--seed", str(self.seed)),
            *("--messages", str(self.messages), "--rate", str(self.rate_per_s)),
            *("--recover", "--folder", str(folder)),
            *(() if self.repeat else ("--once",)),
        ]


def full_plan() -> list[Task]:
    """Everything: for hours."""
    return [*_seeded(), *_long(), Task(SOAKED, 1, SOAK_MESSAGES, SOAK_MESSAGES / SOAK_S, repeat=True)]


def short_plan() -> list[Task]:
    """Each fault once: for about an hour."""
    return [Task((fault,), 1, SHORT_MESSAGES) for faults in KINDS.values() for fault in faults]


def _seeded() -> Iterator[Task]:
    """The seeds of a kind go round its faults, each of which is alone in its run."""
    for kind, faults in KINDS.items():
        seeds = OFTEN_SEEDS if kind in OFTEN else max(SELDOM_SEEDS, len(faults))
        messages = OFTEN_MESSAGES if kind in OFTEN else SELDOM_MESSAGES
        for seed in range(1, seeds + 1):
            yield Task((faults[seed % len(faults)],), seed, messages)


def _long() -> Iterator[Task]:
    """All faults of a kind, again and again."""
    for faults in KINDS.values():
        yield Task(faults, 1, LONG_MESSAGES, LONG_MESSAGES / LONG_S, repeat=True)
