"""One run: messages flow, faults happen, everything heals, workers stop, and the checker says what holds."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from faults.blame import blame
from faults.calm import check_calm
from faults.catalogue import rate_around
from faults.changes import Changes
from faults.crowd import Crowd
from faults.ending import end, finished, healed
from faults.gauges import Gauges
from faults.ground import PREFIX, Ground
from faults.interference import Interference
from faults.load import Load
from faults.machine import Machine
from faults.nemesis import Nemesis
from faults.readers import Readers
from faults.recovery import recovered
from faults.result import Phase, Result
from faults.scene import NobodyError, Scene
from faults.sender import Sender
from faults.sessions import Sessions
from faults.standstills import Standstills
from faults.stream import Stream
from faults.watch import INPUTS, KINDS

ROOT = Path(__file__).parents[1]
PAUSE_S = 3.0
READY_S = 180.0
"""On a busy machine each of ten workers takes half a minute to start."""
POLL_S = 0.5


@dataclass(frozen=True)
class Campaign:
    """What a run does, phase by phase.

    In each phase so many messages flow, at `rate_per_s` or as long as its faults are thought to last. These
    happen in turn; with `repeat`, over and over until all is sent. With `recover` everything must be as
    before after each phase, and where they repeat after each fault, before anything else happens. With
    `spare` there is one more of each kind, which no fault picks, so that something has lasted as long.
    """

    seed: int
    messages: int
    phases: Sequence[Sequence[str]]
    rate_per_s: float | None = None
    workers: int = 2
    repeat: bool = False
    pause_s: float = PAUSE_S
    recover: bool = False
    spare: bool = False


async def run(campaign: Campaign, ground: Ground) -> Result:
    """Carry the campaign out."""
    ground.history.add("begin", seed=campaign.seed, messages=campaign.messages, phases=campaign.phases)
    readers = Readers(ground, campaign.seed)
    await _begin(campaign, ground)
    crowd = Crowd(list(ground.gateways.values()), ground.folder, campaign.seed)
    await crowd.begin()
    sender = Sender(ground.servers, f"{PREFIX}.inbound.v1", ground.folder / "ledger.jsonl")
    stream = Stream(campaign.seed, ground.partitions["inbound"])
    gauges = Gauges(ground)
    looking = asyncio.create_task(gauges.watch())
    phases = []
    for names in campaign.phases:
        # The same victims for these faults, whatever was done in the phases before them.
        chance = random.Random(f"{campaign.seed} {' '.join(names)}")
        scene = Scene(ground, chance, crowd.book, sender, campaign.seed)
        phases.append(await _phase(campaign, scene, names, stream))
    await sender.close()
    looking.cancel()
    used = gauges.checks()
    heal_s, gone = await asyncio.gather(healed(ground), finished(ground, crowd))
    at_rest, outside = await end(ground, crowd)
    stopped = await ground.fleet.stop_all()
    ground.history.add("stopped", workers=stopped, heal_s=heal_s)
    ground.outside_said(ground.folder / "ledger.jsonl")
    await readers.finish()
    calm = check_calm(ground.folder, ground.history.lines)
    report = await check(ground, [*outside, *used, calm])
    await blame(ground, report["checks"], [phase.began_ms for phase in phases])
    return Result(
        seed=campaign.seed,
        phases=phases,
        unknown=sender.unknown,
        agents=crowd.book.counts(),
        restarts=ground.fleet.restarts,
        heal_s=heal_s,
        at_rest=at_rest and gone,
        stopped=stopped,
        report=report,
    )


async def _begin(campaign: Campaign, ground: Ground) -> None:
    """Start everybody; returns when every lane has an owner."""
    for number in range(1, campaign.workers + 1):
        ground.fleet.start("routing", number)
        ground.fleet.start("notifier", number)
        if ground.surroundings.outside is not None:
            ground.fleet.start("delivery", number)
            ground.fleet.start("webhooks", number)
    if ground.surroundings.outside is not None:
        ground.fleet.start("ingress", 1)
    if campaign.spare:
        for kind in KINDS:
            ground.fleet.start(kind, campaign.workers + 1).spared = True
    ground.start_gateways()
    ground.fleet.keep()
    await ground.configure()
    await ready(ground)


async def ready(ground: Ground) -> None:
    """Wait until every lane has an owner."""
    async with asyncio.timeout(READY_S):
        while True:
            owners = await ground.owners()
            if {kind for kind, _ in owners} >= set(INPUTS) and all(owners.values()):
                return
            await asyncio.sleep(POLL_S)


async def _phase(campaign: Campaign, scene: Scene, names: Sequence[str], stream: Stream) -> Phase:
    """Messages flow, these faults happen; then all must be worked off before the next phase begins."""
    history, sender = scene.ground.history, scene.sender
    first, before = len(history.lines), Counter(sender.kinds)
    history.add("phase", names=names, clock_ms=time.time_ns() // 1_000_000)
    rate = campaign.rate_per_s or rate_around(names, campaign.messages)
    sending = asyncio.create_task(sender.run(stream, campaign.messages, rate))
    await _trouble(campaign, scene, names, sending)
    await sending
    if campaign.recover:
        seconds, wrong = await recovered(scene.ground)
        history.add("drained", seconds=seconds, wrong=wrong)
    history.add("phase_over")
    return Phase.of(history.lines[first:], dict(sender.kinds - before), names)


async def _trouble(
    campaign: Campaign, scene: Scene, faults: Sequence[str], sending: asyncio.Task[None]
) -> None:
    """One fault after the other while messages flow, and now and then another configuration."""
    ground, doing = scene.ground, every_fault(scene)
    names = list(faults)
    while names:
        for left, name in zip(range(len(names), 0, -1), names, strict=True):
            await asyncio.sleep(campaign.pause_s)
            ground.history.add("begin_fault", name=name)
            try:
                await doing[name]()
            except NobodyError as error:
                scene.note(name, hit=False, why=str(error))
            if campaign.recover and (campaign.repeat or left == 1):
                seconds, wrong = await recovered(ground)
                ground.history.add("recovered", name=name, seconds=seconds, wrong=wrong)
            await ground.configure()
        # Each once whatever comes; then in any order, as long as there is something to hit.
        going_on = campaign.repeat and not sending.done()
        names = scene.random.sample(faults, 1) if going_on else []


def every_fault(scene: Scene) -> dict[str, Callable[[], Awaitable[None]]]:
    """Every fault by its name."""
    befalls = (Nemesis, Standstills, Interference, Sessions, Load, Machine, Changes)
    return {name: fault for each in befalls for name, fault in each(scene).faults().items()}


def _told_of(folder: Path) -> Iterator[str]:
    """What those wrote down who sent something, or read along, if anybody did."""
    files = (("--expected", "ledger.jsonl"), ("--history", "agents.jsonl"), ("--readers", "readers.jsonl"))
    for option, name in files:
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
