"""`python -m faults.spine`: the whole campaign against the spine, as `make faults-spine` runs it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from bench.machine import Machine, describe
from checker.report import MARKS
from faults.campaign import PAUSE_S, Campaign, run
from faults.catalogue import FAULTS, SPINE, Need, needs_of
from faults.ground import Ground, ground
from faults.network import WIRED, Network
from faults.processors import Processors
from faults.record import RESULT
from faults.result import Phase, Result
from faults.version import version
from workers.local.jars import KAFKA_VERSION


def main() -> int:
    """Run the campaign that the arguments ask for; 0 when everything holds."""
    parser = _parser()
    options = parser.parse_args()
    phases = [each.split(",") for each in options.faults.split("/")]
    if unknown := {name for names in phases for name in names} - set(FAULTS):
        parser.error(f"there are no such faults: {', '.join(sorted(unknown))}")
    logging.disable(logging.CRITICAL)  # that the broker is dead is no news here
    # Shells let what they start in the background ignore interrupts, by which a campaign ends its runs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tongdai-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # Postgres may run as another user
    campaign = Campaign(
        seed=seed,
        messages=options.messages,
        phases=phases,
        rate_per_s=options.rate,
        repeat=not options.once,
        pause_s=options.pause,
        recover=options.recover,
        spare=options.spare,
    )
    sys.stdout.write(f"seed {seed}, {len(phases)} × {campaign.messages} messages, everything in {folder}\n")
    sys.stdout.flush()
    result = asyncio.run(_run(campaign, folder))
    sys.stdout.write(told(result) + "\n")
    return 1 if result.problems else 0


def told(result: Result) -> str:
    """The result for a person."""
    checks = [_line(check) for check in result.report["checks"]]
    verdict = result.problems or ["everything holds"]
    return "\n".join(
        [
            f"unanswered {result.unknown}, counted {result.report['counts']}",
            f"agents {result.agents}",
            *(line for phase in result.phases for line in _lines(phase)),
            f"workers started again {result.restarts} times",
            f"healed in {result.heal_s} s",
            f"others had {result.others_share:.0%} of the processors",
            *checks,
            *verdict,
            f"to repeat: make faults-spine ARGS='--seed {result.seed}'",
        ]
    )


_FAULTS_HELP = f"""names, separated by commas; behind a stroke those of the next phase, which begins
when all is as before (default: {",".join(SPINE)}; of {",".join(FAULTS)})"""
_SHOWN = {"at_s", "what", "name", "hit"}
_OF_EVERY_CHECK = {"invariant", "title", "holds", "checked", "violations", "witness"}


def _lines(phase: Phase) -> Iterator[str]:
    """Of a phase."""
    yield f"sent {phase.sent} within {phase.took_s} s"
    for fault in phase.faults:
        yield (
            f"  {fault['at_s']:7.1f} s  {fault['name']:22} {'hit' if fault['hit'] else 'MISSED'}"
            f"  { ({name: value for name, value in fault.items() if name not in _SHOWN}) }"
        )
    for one in phase.recoveries:
        yield f"  recovered from {one['name']} in {one['seconds']} s"
    if phase.drained:
        yield f"  all worked off in {phase.drained['seconds']} s"
    if phase.crashes:
        yield f"  ended by themselves {phase.crashes}"


def _line(check: dict[str, Any]) -> str:
    facts = "".join(f", {name} {value}" for name, value in check.items() if name not in _OF_EVERY_CHECK)
    return f"  {MARKS[check['holds']]} {check['invariant']}  {check['title']}: {check['checked']}{facts}"


async def _run(campaign: Campaign, folder: Path) -> Result:
    began, processors, tried = time.monotonic(), Processors(), version()
    when = datetime.now(UTC).isoformat(timespec="seconds")
    needs = needs_of({name for names in campaign.phases for name in names})
    network = Network(WIRED if Need.WIRES in needs else (), campaign.seed)
    async with ground(folder, network, needs, quick=not campaign.repeat) as made:
        machine = await _machine(made)
        result = await run(campaign, made)
    result.took_s, result.others_share = round(time.monotonic() - began, 1), processors.others_share()
    result.commit, result.began, result.machine = tried, when, asdict(machine)
    (folder / RESULT).write_bytes(result.as_json())
    return result


async def _machine(made: Ground) -> Machine:
    connection = await asyncpg.connect(made.dsn)
    try:
        return describe(await connection.fetchval("SHOW server_version"), KAFKA_VERSION)
    finally:
        await connection.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults.spine", description=__doc__)
    parser.add_argument(
        "--messages", type=int, default=200_000, help="records to send in each phase (default: 200000)"
    )
    parser.add_argument("--seed", type=int, help="of the messages and faults (default: any)")
    parser.add_argument(
        "--rate",
        type=float,
        help="records a second (default: they flow as long as the faults are thought to last)",
    )
    parser.add_argument("--faults", default=",".join(SPINE), help=_FAULTS_HELP)
    parser.add_argument("--once", action="store_true", help="each fault once, even if more is to be sent")
    parser.add_argument("--pause", type=float, default=PAUSE_S, help="seconds before each fault (default: 3)")
    parser.add_argument("--recover", action="store_true", help="wait until all is as before, too")
    parser.add_argument("--spare", action="store_true", help="one more worker of each kind, which none picks")
    parser.add_argument("--folder", type=Path, help="for data, logs and reports (default: a new one)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
