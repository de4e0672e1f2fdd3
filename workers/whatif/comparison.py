"""What happened beside what would have: figures, side by side, and what they leave out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from workers.whatif.tally import Figures

LEFT_OUT = (
    "Keyword lists are not tried anew: texts are not on the desk's log, only which lists had matched.",
    "What people did is as recorded: nobody claims here what he did not claim then, and may be refused.",
    "When sessions ended is as recorded, too.",
)
_AGENTS_SHOWN = 50


class Comparison(NamedTuple):
    """Both lives of the desk, from the same moment on."""

    happened: Figures
    otherwise: Figures
    moved: int
    """Sessions that went to somebody else first."""
    commands: int


def rows(comparison: Comparison) -> Iterator[tuple[str, str, str]]:
    """What is compared: its name, as it happened, as it would have been."""
    happened, otherwise = comparison.happened, comparison.otherwise
    for name in ("assigned", "waited", "unserved", "waiting"):
        yield name, str(getattr(happened, name)), str(getattr(otherwise, name))
    for name in ("wait_p50_s", "wait_p95_s", "wait_max_s", "spread"):
        yield name, f"{getattr(happened, name):.1f}", f"{getattr(otherwise, name):.1f}"
    for title, group in (("by {}", "by_method"), ("given to {}", "given"), ("most at once: {}", "peak")):
        before, after = getattr(happened, group), getattr(otherwise, group)
        for key in sorted(before.keys() | after.keys())[:_AGENTS_SHOWN]:
            yield title.format(key), str(before.get(key, 0)), str(after.get(key, 0))
    yield "sessions with another first agent", "", str(comparison.moved)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The same for programs."""
    return {
        "happened": comparison.happened._asdict(),
        "otherwise": comparison.otherwise._asdict(),
        "moved": comparison.moved,
        "commands": comparison.commands,
        "left_out": LEFT_OUT,
    }
