"""`python -m tests.security.fuzz`: as many inputs as wanted for every parser of what comes from outside.

Each input is drawn from a seed of its own, so that it can be tried again alone: `--parser NAME --seed N
--inputs 1`. Ends with 1 when a parser raised what it may not, was slow, or kept memory.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.security import parsers
from tests.security.parsers import Parser
from tests.security.readers import READERS

PARSERS = (*parsers.PARSERS, *READERS)

SLOW_S = 1.0
"""Of processor time, for one input of a few kilobytes: a way to stop a worker."""
WARM = 20_000
"""Inputs after which whatever is kept for good, caches and compiled patterns, is there."""
GROWTH_MAX_KB = 65_536
"""From then on. What keeps a byte of each input keeps hundreds of kilobytes of a million."""
HEAD = "parser                       tried      read   refused  CPU (s)  worst (ms)      of seed   grew (kB)"
FAILURES_MAX = 5
"""Of one parser; then the next one is tried."""


@dataclass
class Found:
    """What trying inputs has shown: how many were tried and read, the slowest of them, and what failed."""

    parser: str
    tried: int = 0
    taken: int = 0
    spent_s: float = 0.0
    worst_s: float = 0.0
    worst_seed: int = 0
    grew_kb: int = 0
    failed: list[str] = field(default_factory=list)

    def line(self) -> str:
        """For a person."""
        refused = self.tried - self.taken - len(self.failed)
        return (
            f"{self.parser:24} {self.tried:>9} {self.taken:>9} {refused:>9} {self.spent_s:>8.0f} "
            f"{self.worst_s * 1000:>9.1f} {self.worst_seed:>12} {self.grew_kb:>11}"
        )


def fuzz(parser: Parser, first_seed: int, inputs: int) -> Found:
    """Try inputs, one after another, until all are tried or too many have failed."""
    found, began_s, warm_kb = Found(parser.name), time.process_time(), 0
    for seed in range(first_seed, first_seed + inputs):
        _try(parser, seed, found)
        if found.tried == WARM:
            warm_kb = _resident_kb()
        if len(found.failed) >= FAILURES_MAX:
            break
    found.spent_s = time.process_time() - began_s
    if warm_kb:
        found.grew_kb = _resident_kb() - warm_kb
    if found.grew_kb > GROWTH_MAX_KB:
        found.failed.append(f"kept {found.grew_kb} kB")
    return found


def _resident_kb() -> int:
    gc.collect()
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def _try(parser: Parser, seed: int, found: Found) -> None:
    given, began_s = parser.draw(Random(seed)), time.thread_time()
    found.tried += 1
    try:
        found.taken += parser.takes(given)
    except Exception as error:  # noqa: BLE001 - the finding
        found.failed.append(f"seed {seed}: {error!r:.500} for {given!r:.1000}")
        return
    seconds = time.thread_time() - began_s
    if seconds > found.worst_s:
        found.worst_s, found.worst_seed = seconds, seed
    if seconds > SLOW_S:
        found.failed.append(f"seed {seed}: took {seconds:.1f} s for {given!r:.300}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz what is asked for, and tell."""
    asked = argparse.ArgumentParser(prog="python -m tests.security.fuzz", description=__doc__)
    asked.add_argument("--inputs", type=int, default=1_000_000, help="for each parser (default: %(default)s)")
    asked.add_argument(
        "--parser", action="append", choices=[one.name for one in PARSERS], help="only this one"
    )
    asked.add_argument("--seed", type=int, default=0, help="of the first input (default: %(default)s)")
    options = asked.parse_args(arguments)
    print(HEAD, flush=True)  # noqa: T201
    failed = False
    for parser in PARSERS:
        if options.parser and parser.name not in options.parser:
            continue
        found = fuzz(parser, options.seed, options.inputs)
        print(found.line(), *found.failed, sep="\n  ", flush=True)  # noqa: T201
        failed = failed or bool(found.failed)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
