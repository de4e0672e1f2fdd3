"""One run: messages flow, faults happen, everything heals, workers stop, and the checker says what holds."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from faults.catalogue import MAY_END
from faults.changes import Changes
from faults.crowd import Crowd, settle
from faults.gauges import Gauges
from faults.ground import PREFIX, Ground
from faults.interference import Interference
from faults.load import Load
from faults.machine import Machine
from faults.nemesis import Nemesis
from faults.recovery import RECOVERED_S, recovered
from faults.scene import Scene
from faults.sender import Sender
from faults.sessions import Sessions
from faults.stream import Stream
from faults.town import AGENTS
from faults.watch import INPUTS, UnseenError

ROOT = Path(__file__).parents[1]
HEAL_S = 60.0
"""After the last fault the lag must be zero within this time, and that of draining what had piled up."""
DRAINED_PER_S = 500.0
"""So many records at least, however busy the machine."""
PAUSE_S = 3.0
READY_S = 180.0
"""On a busy machine each of ten workers takes half a minute to start."""
QUIET_S = 90.0
"""Longer than a desk waits for a sign of a lost gateway, and a transfer for its answer."""
POLL_S = 0.5
MISSED = "never hit anything: nothing is known of it"
_IN_ORDER = (0, -signal.SIGTERM)
"""SIGTERM ends a worker that is still starting, before it has anything to give up."""


@dataclass(frozen=True)
class Campaign:
    """What a run does. `faults` happen in turn; with `repeat`, over and over until all is sent.

    With `recover` everything must be as before after each fault, before the next one happens.
    """

    seed: int
    messages: int
    rate_per_s: float
    faults: Sequence[str]
    workers: int = 2
    repeat: bool = False
    pause_s: float = PAUSE_S
    recover: bool = False


@dataclass
class Result:
    """What came of it."""

    seed: int
    faults: list[dict[str, Any]]
    sent: dict[str, int]
    unknown: int
    agents: dict[str, Any]
    """What they did and were told, counted."""
    restarts: int
    crashes: list[str]
    """Workers that ended though nobody had killed or stopped them, with their codes."""
    recoveries: list[dict[str, Any]]
    """After each fault for which that was asked: `seconds`, or none and what was `wrong`."""
    heal_s: float | None
    at_rest: bool
    """Whether nothing was left to do once everybody had gone."""
    stopped: dict[str, object]
    report: dict[str, Any]
    missed: list[str] = field(init=False)

    def __post_init__(self) -> None:
        hits = {fault["name"] for fault in self.faults if fault["hit"]}
        self.missed = sorted({fault["name"] for fault in self.faults} - hits)

    @property
    def problems(self) -> list[str]:
        """Why the run does not count as passed; empty when everything holds."""
        checks = self.report["checks"]
        found = [f"{check['title']}: {check['witness']}" for check in checks if not check["holds"]]
        return [*found, *self.unhealed, *(f"{name} {MISSED}" for name in self.missed)]

    @property
    def unhealed(self) -> list[str]:
        """What was not as before in time, or did not end in order."""
        found = []
        if self.heal_s is None:
            found.append(f"the lag was not zero {HEAL_S:.0f} s after the last fault, with time to drain")
        if not self.at_rest:
            found.append(f"something was left to do {QUIET_S:.0f} s after everybody had gone")
        found += [f"{name} ended with {code}" for name, code in self.stopped.items() if code not in _IN_ORDER]
        for one in self.recoveries:
            if one["wrong"]:
                found.append(f"{RECOVERED_S:.0f} s after {one['name']}: {one['wrong']}")
        if self.recoveries and not {fault["name"] for fault in self.faults} & MAY_END:
            found += [f"{crash}, of itself" for crash in self.crashes]
        return found

    def as_json(self) -> bytes:
        """For `faults.table`."""
        more = {"unhealed": self.unhealed, "problems": self.problems}
        return orjson.dumps(asdict(self) | more, option=orjson.OPT_INDENT_2)


async def run(campaign: Campaign, ground: Ground) -> Result:
    """Carry the campaign out."""
    ground.history.add("begin", seed=campaign.seed, messages=campaign.messages, rate=campaign.rate_per_s)
    fleet = ground.fleet
    for number in range(1, campaign.workers + 1):
        fleet.start("routing", number)
        fleet.start("notifier", number)
        if ground.surroundings.outside is not None:
            fleet.start("delivery", number)
            fleet.start("webhooks", number)
    ground.start_gateways()
    fleet.keep()
    await ground.configure()
    await ready(ground)
    crowd = Crowd(list(ground.gateways.values()), ground.folder, campaign.seed)
    await crowd.begin()
    sender = Sender(ground.servers, f"{PREFIX}.inbound.v1", ground.folder / "ledger.jsonl")
    stream = Stream(campaign.seed, ground.partitions["inbound"])
    gauges = Gauges(ground)
    looking = asyncio.create_task(gauges.watch())
    sending = asyncio.create_task(sender.run(stream, campaign.messages, campaign.rate_per_s))
    scene = Scene(ground, random.Random(campaign.seed), crowd.book, sender, campaign.seed)
    await _trouble(campaign, scene, sending)
    await sending
    await sender.close()
    looking.cancel()
    used = gauges.checks()
    heal_s, gone = await asyncio.gather(_healed(ground), _finished(ground, crowd))
    at_rest, outside = await _end(ground, crowd)
    stopped = await fleet.stop_all()
    ground.history.add("stopped", workers=stopped, heal_s=heal_s)
    return Result(
        seed=campaign.seed,
        faults=[line for line in ground.history.lines if line["what"] == "fault"],
        sent=dict(sender.kinds),
        unknown=sender.unknown,
        agents=crowd.book.counts(),
        restarts=fleet.restarts,
        crashes=[
            f"{line['worker']} with {line['code']}"
            for line in ground.history.lines
            if line["what"] == "ended" and line["code"] not in {-signal.SIGKILL, *_IN_ORDER}
        ],
        recoveries=[line for line in ground.history.lines if line["what"] == "recovered"],
        heal_s=heal_s,
        at_rest=at_rest and gone,
        stopped=stopped,
        report=await check(ground, [*outside, *used]),
    )


async def ready(ground: Ground) -> None:
    """Wait until every lane has an owner."""
    async with asyncio.timeout(READY_S):
        while True:
            owners = await ground.owners()
            if {kind for kind, _ in owners} >= set(INPUTS) and all(owners.values()):
                return
            await asyncio.sleep(POLL_S)


async def _trouble(campaign: Campaign, scene: Scene, sending: asyncio.Task[None]) -> None:
    """One fault after the other while messages flow, and now and then another configuration."""
    ground, faults = scene.ground, every_fault(scene)
    names = list(campaign.faults)
    while names:
        for name in names:
            await asyncio.sleep(campaign.pause_s)
            ground.history.add("begin_fault", name=name)
            await faults[name]()
            if campaign.recover:
                seconds, wrong = await recovered(ground)
                ground.history.add("recovered", name=name, seconds=seconds, wrong=wrong)
            await ground.configure()
        # Each once whatever comes; then in any order, as long as there is something to hit.
        going_on = campaign.repeat and not sending.done()
        names = scene.random.sample(campaign.faults, 1) if going_on else []


def every_fault(scene: Scene) -> dict[str, Callable[[], Awaitable[None]]]:
    """Every fault by its name."""
    befalls = (Nemesis, Interference, Sessions, Load, Machine, Changes)
    return {name: fault for each in befalls for name, fault in each(scene).faults().items()}


async def _finished(ground: Ground, crowd: Crowd) -> bool:
    """Whether everybody has gone in time; the checker speaks in any case."""
    try:
        await crowd.finish()
    except TimeoutError:
        ground.history.add("unfinished")
        return False
    return True


async def _end(ground: Ground, crowd: Crowd) -> tuple[bool, list[dict[str, Any]]]:
    """Let agents and gateways go while the others work on.

    Returns whether in the end nothing was due any more, and what must hold of those outside.
    """
    outside: list[dict[str, Any]] = []
    try:
        await left(ground)
        await quiet(ground)
        ends = await ground.ends("notifications")
        for gateway in ground.fleet.of("gateway"):
            await gateway.started(QUIET_S)  # one may have been killed only just now
        await settle(list(ground.gateways.values()), AGENTS, crowd.book, ends)
        await ground.stop_gateways()
        outside = await ground.outside_checks()
        await quiet(ground)
    except TimeoutError:
        ground.history.add("restless", lag=await ground.lag(), stopped_lanes=await ground.stopped_lanes())
        return False, outside
    return True, outside


async def left(ground: Ground) -> None:
    """Wait until the desks know that all agents have gone. Raises TimeoutError.

    That ends the transfers that still wait for one of them, of which others are told. From then on nobody is
    told anything more, whoever comes and goes.
    """
    async with asyncio.timeout(QUIET_S):
        while await ground.present():
            await asyncio.sleep(POLL_S)
    ground.history.add("left")


async def quiet(ground: Ground) -> None:
    """Wait until all is read and no timer will say anything soon. Raises TimeoutError."""
    async with asyncio.timeout(QUIET_S):
        while await ground.timers() or any((await ground.lag()).values()):
            await asyncio.sleep(POLL_S)
    ground.history.add("quiet")


async def _healed(ground: Ground) -> float | None:
    """Seconds until the lag was zero for good; none when it was not within the deadline."""
    began, deadline_s = time.monotonic(), HEAL_S
    while time.monotonic() - began < deadline_s:
        try:
            lag = await ground.lag()
        except UnseenError as error:
            ground.history.add("unseen", why=str(error))
            await asyncio.sleep(POLL_S)
            continue
        if not any(lag.values()):
            return round(time.monotonic() - began, 1)
        if deadline_s == HEAL_S:
            deadline_s += lag["intake"] / DRAINED_PER_S
        ground.history.add("lag", **lag)
        await asyncio.sleep(POLL_S)
    return None


def _told_of(folder: Path) -> Iterator[str]:
    """What those wrote down who sent something, if anybody did."""
    for option, name in (("--expected", "ledger.jsonl"), ("--history", "agents.jsonl")):
        if (folder / name).exists():
            yield from (option, str(folder / name))


async def check(ground: Ground, more: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """What the checker, a process of its own, reports, and `more` checks beside its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "checker", "--bootstrap-servers", ground.servers, "--dsn", ground.dsn),
        *("--prefix", PREFIX, "--json", *_told_of(ground.folder)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode not in {0, 1}:
        raise RuntimeError(f"the checker could not say anything: {errors.decode()}")
    report: dict[str, Any] = orjson.loads(output)
    report["checks"] = [*report["checks"], *more]
    (ground.folder / "report.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return report
