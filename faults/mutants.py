"""`python -m faults.mutants`: breaks the workers in known ways and sees that a campaign finds each one.

A campaign that passes proves something only if it would have failed otherwise. Each mutant is a copy of the
project with one change; it is caught when the campaign against it does not pass. Moments that are too rare
for a campaign (one batch is pending beside another that is published already) are for the protocol's tests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from faults.campaign import MISSED

ROOT = Path(__file__).parents[1]
COPIED = ("schemas", "config", "workers", "checker", "faults", "pyproject.toml")
FREEZES = "freeze_routing,freeze_in_transaction,freeze_before_writing,freeze_before_writing"
RATE_PER_S = 120
KILLS = "kill_routing,kill_notifier,kill_routing,kill_notifier,kill_routing"


class Mutant(NamedTuple):
    """One change of one file, and the faults that must bring it to light. `before` stands there once."""

    name: str
    path: str
    before: str
    after: str
    faults: str


MUTANTS = (
    Mutant(
        "pending batches are not published at takeover",
        "workers/runtime/protocol.py",
        "return Start() if published == row.batch_no else Publish(published)",
        "return Start()",
        KILLS,
    ),
    Mutant(
        "the previous owner's producers are not fenced",
        "workers/runtime/term.py",
        "        if owner in self._fenced:\n            return\n",
        "        if owner:\n            return\n",
        FREEZES,
    ),
    Mutant(
        "neither owner nor batch number is compared",
        "workers/runtime/ledger.py",
        'lane.id = mine.id AND lane.owner = $2 AND lane.batch_no = mine.batch_no\n"""\n# One',
        'lane.id = mine.id AND $2 <> \'\'\n"""\n# One',
        FREEZES,
    ),
    Mutant(
        "intake remembers conversations of lanes that it gave up",
        "workers/routing/intake/handler.py",
        "self._conversations.forget(lanes)",
        "del lanes",
        f"{KILLS},{FREEZES}",
    ),
    Mutant(
        "duplicates are stored",
        "workers/routing/intake/dedupe.py",
        "    if not sightings:\n        return\n",
        "    if sightings is not None:\n        return\n",
        "kill_routing",
    ),
    Mutant(
        "the cursor of a rotation is forgotten over a restart",
        "workers/routing/desk/loading.py",
        'desk.set_rule(entry, row["ring"], row["cursor"])',
        'desk.set_rule(entry, row["ring"], None)',
        KILLS,
    ),
    Mutant(
        "loads are forgotten over a restart",
        "workers/routing/desk/loading.py",
        'duty.bearing(row["load"],',
        "duty.bearing(0,",
        KILLS,
    ),
    Mutant(
        "commands that are repeated are decided again",
        "workers/routing/desk/outcomes.py",
        "    if first is None or draft.place.at - first.at >= KEPT:\n",
        "    if first is None or draft.place.at >= first.at:\n",
        "freeze_routing,freeze_routing,freeze_routing",
    ),
    Mutant(
        "who comes back is not told what he has missed",
        "workers/gateway/stream.py",
        "is_reached(connection, await self._recipients(one)):\n                connection.send(",
        "is_reached(connection, await self._recipients(one)):\n                str(",
        "kill_gateway,kill_gateway",
    ),
)


def main() -> int:
    """Try the mutants that the arguments name; 1 when one survived."""
    parser = argparse.ArgumentParser(prog="python -m faults.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants with these words in their names")
    parser.add_argument("--seconds", type=int, default=50, help="for which messages flow")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    survived = 0
    for mutant in MUTANTS:
        if options.only in mutant.name:
            found = _try(mutant, options)
            survived += not found
            sys.stdout.write(f"{'caught' if found else 'SURVIVED'}: {mutant.name}\n{found}")
            sys.stdout.flush()
    return 1 if survived else 0


def _try(mutant: Mutant, options: argparse.Namespace) -> str:
    """What the campaign has to say against the mutant; empty when it passes."""
    with tempfile.TemporaryDirectory(prefix="tongdai-mutant-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
        _change(copy / mutant.path, mutant)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "faults.spine", "--once", "--pause", "1"),
                *("--folder", str(copy / "run"), "--faults", mutant.faults),
                *("--messages", str(RATE_PER_S * options.seconds), "--rate", str(RATE_PER_S)),
                *("--seed", str(options.seed)),
            ],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return "".join(f"  {line}\n" for line in _verdict(done.stdout)) if done.returncode else ""


def _verdict(output: str) -> list[str]:
    """The lines after the checks: what was violated. That a fault missed catches nothing."""
    lines = output.splitlines()
    begin = max((at for at, line in enumerate(lines) if line.startswith(("  ok ", "  FAIL"))), default=-10)
    found = lines[begin + 1 :]
    return [line[:300] for line in found if not line.startswith("to repeat") and MISSED not in line]


def _change(path: Path, mutant: Mutant) -> None:
    text = path.read_text()
    if text.count(mutant.before) != 1:
        raise SystemExit(f"{mutant.path} has changed: {mutant.before!r} is not in it exactly once")
    path.write_text(text.replace(mutant.before, mutant.after))


if __name__ == "__main__":
    sys.exit(main())
