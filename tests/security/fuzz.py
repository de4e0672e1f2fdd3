"""`python -m tests.security.fuzz`: as many inputs as wanted for every parser of what comes from outside.

Rounds of inputs by Hypothesis, each from a seed of its own, so that memory stays flat and a round can be run
again: `--parser NAME --seed N --inputs 5000`. Ends with 1 when a parser raised what it may not, or was slow.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.security.parsers import PARSERS, Parser

ROUND = 5_000
SLOW_S = 2.0
"""Of processor time, for one input of a few kilobytes: a way to stop a worker."""


@dataclass
class Slowest:
    """The input that took longest, in seconds of processor time."""

    seconds: float = 0.0
    given: object = None


def once(parser: Parser, given_: object, slowest: Slowest) -> bool:
    """Try one input; whether it was read. Raises what the parser may not raise, or AssertionError: slow."""
    began_s = time.thread_time()
    taken = parser.takes(given_)
    seconds = time.thread_time() - began_s
    if seconds > slowest.seconds:
        slowest.seconds, slowest.given = seconds, given_
    assert seconds < SLOW_S, f"{parser.name} took {seconds:.1f} s for {given_!r:.300}"
    return taken


def round_of(parser: Parser, number: int, inputs: int, slowest: Slowest) -> int:
    """One round; how many inputs were read."""
    taken = 0

    @seed(number)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(parser.inputs)
    def tried(given_: object) -> None:
        nonlocal taken
        taken += once(parser, given_, slowest)

    tried()
    return taken


def fuzz(parser: Parser, first_seed: int, inputs: int) -> str:
    """All rounds of one parser; a line about them. Raises as `once` does."""
    slowest, taken, began_s = Slowest(), 0, time.process_time()
    for number, done in enumerate(range(0, inputs, ROUND)):
        taken += round_of(parser, first_seed + number, min(ROUND, inputs - done), slowest)
    spent_s = time.process_time() - began_s
    worst_ms = slowest.seconds * 1000
    return f"{parser.name:24} {inputs:>9} {taken:>9} {inputs - taken:>9} {spent_s:>8.0f} {worst_ms:>9.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz what is asked for, and tell."""
    asked = argparse.ArgumentParser(prog="python -m tests.security.fuzz", description=__doc__)
    asked.add_argument("--inputs", type=int, default=1_000_000, help="for each parser (default: %(default)s)")
    asked.add_argument(
        "--parser", action="append", choices=[one.name for one in PARSERS], help="only this one"
    )
    asked.add_argument("--seed", type=int, default=0, help="of the first round (default: %(default)s)")
    options = asked.parse_args(arguments)
    chosen = [one for one in PARSERS if not options.parser or one.name in options.parser]
    print("parser                      inputs      read   refused  CPU (s)  worst (ms)", flush=True)  # noqa: T201
    failed = False
    for parser in chosen:
        try:
            print(fuzz(parser, options.seed, options.inputs), flush=True)  # noqa: T201
        except Exception as error:  # noqa: BLE001 - the finding
            failed = True
            notes = " ".join(getattr(error, "__notes__", ()))
            print(f"{parser.name:24} FAILED: {error!r:.500} {notes:.1000}", flush=True)  # noqa: T201
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
