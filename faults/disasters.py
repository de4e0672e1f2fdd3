"""`python -m faults.disasters`: strikes a running system with each disaster, and recovers it as operators do.

Messages flow, the disaster comes, the lanes that it concerns must stop and say so everywhere; then `tongdai
recover`, more messages, and the checker. Of what a disaster destroys for ever the checker finds less than it
looks for: those checks are named with it, and every other one must hold.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson

from faults.campaign import check, ready
from faults.ending import quiet
from faults.fleet import Worker
from faults.ground import PREFIX, Ground, ground
from faults.recovered import HEAD, Outcome
from faults.ruin import RUINS, Ruin
from faults.sender import Sender
from faults.stream import Stream
from faults.table import markdown, put
from faults.version import version
from faults.watch import KINDS, UnseenError
from workers.local.ports import LOOPBACK

LOUD_S = 90.0
HEALED_S = 120.0
POLL_S = 0.3
ATTEMPTS = 3
"""At `recover`, which says when it wants to be repeated."""
MARKS = ("<!-- disasters -->", "<!-- /disasters -->")
_STOPPED = "SELECT kind, id, stopped FROM lane WHERE stopped IS NOT NULL"
_AT_WORK = "SELECT kind, id FROM lane WHERE batch_no > 0 AND kind = ANY($1::text[])"


@dataclass
class Run:
    """One disaster on a ground of its own."""

    name: str
    ruin: Ruin
    ground: Ground
    messages: int
    rate_per_s: float
    seed: int

    async def run(self) -> Outcome:
        """Strike, recover, check."""
        outcome, fleet = Outcome(self.name), self.ground.fleet
        for kind in KINDS:
            fleet.start(kind, 1)
        fleet.keep()
        await self.ground.configure()
        await ready(self.ground)
        sender = Sender(self.ground.servers, f"{PREFIX}.inbound.v1", self.ground.folder / "ledger.jsonl")
        stream = iter(Stream(self.seed, self.ground.partitions["inbound"]))
        await sender.run(stream, self.messages, self.rate_per_s)
        if self.ruin.prepare is not None:
            await self.ruin.prepare(self.ground)
        await sender.run(stream, self.messages, self.rate_per_s)
        await quiet(self.ground)
        if not self.ruin.loses:
            await sender.run(stream, self.messages // 2, self.rate_per_s)
        await self.ruin.strike(self.ground)
        self.ground.history.add("struck", name=self.name)
        outcome.stopped = await self._loud(outcome)
        self.ground.history.add("stopped", lanes=outcome.stopped)
        await self._recover(outcome)
        self.ground.history.add("recovered", lanes=outcome.recovered)
        await sender.run(stream, self.messages // 2, self.rate_per_s)
        await sender.close()
        outcome.healed_s = await self._healed(outcome)
        for worker, code in (await fleet.stop_all()).items():
            if code != 0:
                outcome.problems.append(f"{worker} ended with {code}")
        await self._check(outcome)
        return outcome

    async def _loud(self, outcome: Outcome) -> dict[str, str]:
        """Wait until every lane at work stands still, and see that each place says so that should."""
        deadline = time.monotonic() + LOUD_S
        while (missing := await self._running()) and time.monotonic() < deadline:
            await asyncio.sleep(POLL_S)
        if missing:
            outcome.problems.append(f"did not stop: {sorted(missing)}")
        silent = await self._silent()
        while silent and time.monotonic() < deadline:
            await asyncio.sleep(POLL_S)
            silent = await self._silent()
        outcome.problems += silent
        rows = await self._rows(_STOPPED)
        return {f"{kind}/{lane}": reason for kind, lane, reason in rows}

    async def _silent(self) -> list[str]:
        """Where a worker does not say what it should."""
        return [
            problem
            for kind, kinds in KINDS.items()
            if set(kinds) & set(self.ruin.kinds)
            for worker in self.ground.fleet.of(kind)
            for problem in await _silent(worker, set(kinds) & set(self.ruin.kinds))
        ]

    async def _running(self) -> set[str]:
        """Lanes with work behind them that should have stopped."""
        rows = await self._rows(_AT_WORK, list(self.ruin.kinds))
        stopped = {(kind, lane) for kind, lane, _ in await self._rows(_STOPPED)}
        return {f"{kind}/{lane}" for kind, lane in rows if (kind, lane) not in stopped}

    async def _recover(self, outcome: Outcome) -> None:
        """As an operator does it: without accepting a loss when there is none."""
        command = ["recover", "--all", "--json"]
        if self.ruin.loses:
            code, output, errors = await self._tongdai(*command)
            if not code or "--accept-loss" not in errors:
                outcome.problems.append(f"recover was to ask about the loss: {code}, {errors}")
            outcome.recovered += _recovered(output)
            command.append("--accept-loss")
        for _ in range(ATTEMPTS):
            code, output, errors = await self._tongdai(*command)
            outcome.recovered += _recovered(output)
            if not code:
                return
        outcome.problems.append(f"recover ended with {code}: {errors}")

    async def _tongdai(self, *arguments: str) -> tuple[int, str, str]:
        """Its exit code, and what it says on stdout and stderr."""
        environment = {
            **os.environ,
            "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": self.ground.servers,
            "TONGDAI_KAFKA_TOPIC_PREFIX": PREFIX,
            "TONGDAI_POSTGRES_DSN": self.ground.dsn,
        }
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("tongdai")),
            *arguments,
            env=environment,
            cwd=self.ground.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        return process.returncode or 0, output.decode(), errors.decode()

    async def _healed(self, outcome: Outcome) -> float | None:
        """Seconds until the lag was zero and no lane stood still."""
        began = time.monotonic()
        behind: object = None
        while time.monotonic() - began < HEALED_S:
            stopped = await self._rows(_STOPPED)
            try:
                behind = stopped or {group: lag for group, lag in (await self.ground.lag()).items() if lag}
            except UnseenError as error:
                behind = repr(error)
            if not behind:
                await quiet(self.ground)
                return round(time.monotonic() - began, 1)
            await asyncio.sleep(POLL_S)
        outcome.problems.append(f"not healed in {HEALED_S:.0f} s: {behind}")
        return None

    async def _check(self, outcome: Outcome) -> None:
        report = await check(self.ground)
        for one in report["checks"]:
            if one["holds"] is False:
                known = one["title"] in self.ruin.destroys
                where = outcome.violated if known else None
                text = f"{one['violations']} of {one['checked']}: {one['witness']}"
                if where is not None:
                    where[one["title"]] = text
                else:
                    outcome.problems.append(f"{one['title']}: {text}")

    async def _rows(self, query: str, *arguments: object) -> list[Any]:
        connection = await asyncpg.connect(self.ground.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()


def _recovered(output: str) -> list[dict[str, Any]]:
    """The lanes of which `recover --json` says so; it says nothing when it could not begin."""
    found: list[dict[str, Any]] = orjson.loads(output)["recovered"] if output else []
    return found


async def _silent(worker: Worker, kinds: set[str]) -> list[str]:
    """Where a worker does not say that lanes of these kinds stand still."""
    await worker.started(LOUD_S)
    lines = worker.log.read_bytes().splitlines()
    found, said = [], [orjson.loads(line) for line in lines if line.startswith(b"{")]
    ports = [line["port"] for line in said if line.get("event") == "health_listening"]
    if not any(line.get("event") == "lane_stopped" and line["level"] == "error" for line in said):
        found.append(f"{worker.name} says nothing in its log")
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{ports[-1]}", timeout=LOUD_S) as client:
        readiness, metrics = await client.get("/readyz"), await client.get("/metrics")
    for kind in kinds:
        told = [one for one in readiness.json()["problems"] if one.startswith(f"{kind} lane")]
        if readiness.status_code != 503 or not told:
            found.append(f"{worker.name} is ready: {readiness.text}")
        counted = [
            line
            for line in metrics.text.splitlines()
            if line.startswith(f'tongdai_lanes_stopped{{kind="{kind}"}}')
        ]
        if not counted or float(counted[0].rsplit(" ", 1)[1]) == 0:
            found.append(f"{worker.name} counts no stopped lane of {kind}: {counted}")
    return found


async def _all(names: Sequence[str], options: argparse.Namespace, folder: Path) -> bool:
    good, tried, rows = True, version(), [markdown(HEAD), markdown(["---"] * len(HEAD))]
    for name in names:
        own = folder / name
        own.mkdir()
        own.chmod(0o755)
        async with ground(own, quick=True) as made:
            outcome = await Run(name, RUINS[name], made, options.messages, options.rate, options.seed).run()
        sys.stdout.write(outcome.told() + "\n")
        sys.stdout.flush()
        good = good and not outcome.problems
        rows.append(outcome.row(f"{datetime.now(UTC):%Y-%m-%d} {tried}"))
        if options.document:
            put(options.document, rows, MARKS)
    return good


def main() -> int:
    """Try what the arguments ask for; 0 when everything came back as it should."""
    parser = argparse.ArgumentParser(prog="python -m faults.disasters", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(RUINS), help="this one; may be repeated")
    parser.add_argument("--messages", type=int, default=1_000, help="at a time (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=200, help="records a second (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the messages (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="for data, logs and reports (default: a new one)")
    parser.add_argument("--document", type=Path, help=f"page for the table, between {' and '.join(MARKS)}")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # that servers are gone is no news here
    folder = options.folder or Path(tempfile.mkdtemp(prefix="tongdai-disasters-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # Postgres may run as another user
    sys.stdout.write(f"everything in {folder}\n")
    return 0 if asyncio.run(_all(options.only or list(RUINS), options, folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
