"""Customers write, agents answer, somebody watches, and in the end everything is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any

from config.errors import TongdaiError
from config.settings import Settings
from workers.local.backing import Backing
from workers.local.crew.beside import beside
from workers.local.crew.crew import Crew
from workers.local.crew.stop import Stop
from workers.local.demo.age import process_age_s
from workers.local.demo.assigned import Assigned
from workers.local.demo.lag import Lags, open_lags
from workers.local.demo.log import open_log
from workers.local.demo.options import Options
from workers.local.demo.platforms import Platforms
from workers.local.demo.report import Report, Seen, make_report
from workers.local.demo.sample import (
    agents_of,
    apply_sample,
    pages_of,
    plan_sample,
    platform_pages_of,
    sample,
)
from workers.local.demo.screen import Screen
from workers.local.demo.staffing import READY_TIMEOUT_S, attend, gateway_url, staff_of
from workers.local.demo.tally import Tally
from workers.local.demo.topics_part import COUNTED
from workers.local.demo.view import Picture
from workers.local.demo.watch import Watch, open_watch
from workers.local.demo.website import open_website, place_of, website_url
from workers.local.simulator.agents.staff import Staff
from workers.local.simulator.ledger import Ledger
from workers.local.simulator.simulator import Simulator
from workers.local.simulator.visitors.visitors import Visitors

CATCH_UP_TIMEOUT_S = 120.0
SETTLE_TIMEOUT_S = 10.0
"""How long to wait, once asked to stop, for the webhooks and commands that are under way."""
LAG_INTERVAL_S = 1.0
FOR_EVER_S = 10.0**9
COMING_TIMEOUT_S = 180.0
"""More than the gateway may take to be ready."""


async def play(backing: Backing, options: Options, screen: Screen, crew: Crew, stop: Stop) -> Report:
    """Have customers write and agents answer, once the crew is ready, until the time is over or a stop asked.

    Then count. Raises StoppedEarlyError when somebody is in a hurry, or no customer had written yet;
    TongdaiError when the workers do not work through what was written.
    """
    settings, workspace = backing.settings, sample()
    played, people = platform_pages_of(workspace), agents_of(workspace)
    platforms = Platforms(settings, played)
    simulator = _simulator(settings, options, played, platforms)
    visitors = _visitors(settings, options, played, simulator.ledger)
    assigned = Assigned(screen.say, people, visitors.ledger.conversations)
    tally = Tally(pages_of(workspace), assigned)
    staff = staff_of(settings, options, workspace, screen.say)
    async with (
        open_watch(settings, tally) as watch,
        open_lags(settings) as lags,
        open_log(settings, COUNTED) as counted,
        platforms.at_work(),
        open_website(settings),
        aclosing(visitors),
    ):
        await stop.unless_asked(_ready(settings, crew, lags, platforms))
        begun_at = datetime.now(UTC)
        screen.say(f"Workers are ready after {process_age_s():.1f} s")
        screen.say(f"A website with our chat window, where you are the customer: {website_url(settings)}")
        begins = await counted.ends()
        online = staff.ledger.online
        picture = Picture(
            _headline(settings, options), tally, simulator.ledger, visitors.ledger, people, online
        )
        others = (
            *await watch.follow(),
            _show_lags(lags, picture),
            screen.keep_drawing(),
            crew.failure(),
            backing.failure(),
        )
        with screen.showing(picture):
            async with beside(*others) as side:
                began = time.monotonic()
                attending = attend(staff, settings, workspace, crew, stop, screen.say)
                await stop.unless_hurried(
                    side.run(_work(simulator, visitors, staff, attending, options, stop))
                )
                seconds = time.monotonic() - began
                picture.headline = "working through what is left; Ctrl-C again stops at once"
                await stop.unless_hurried(side.run(_caught_up(_drained(lags, watch))))
                fates = await stop.unless_hurried(side.run(platforms.settled(begun_at)))
                await stop.unless_hurried(side.run(visitors.compare()))
                seen = Seen(simulator.ledger, visitors.ledger, staff.ledger, tally.latencies, seconds, fates)
                report = await stop.unless_hurried(side.run(make_report(settings, seen, begins)))
                picture.headline = "done"
                return report


async def _ready(settings: Settings, crew: Crew, lags: Lags, platforms: Platforms) -> None:
    """Wait for those whom customers need, and until they have worked through what an earlier run has left."""
    _, plan = await asyncio.gather(crew.ready(READY_TIMEOUT_S), plan_sample(settings))
    await apply_sample(settings, plan)
    await platforms.connect()
    await _caught_up(lags.until_none())


def _simulator(settings: Settings, options: Options, pages: list[str], platforms: Platforms) -> Simulator:
    ingress = settings.ingress
    url = f"http://{ingress.host}:{ingress.port}"
    rate_per_s = options.rate_per_s * len(pages) / (len(pages) + 1)  # the last page is the website
    return Simulator(url, ingress, pages, rate_per_s=rate_per_s, seed=options.seed, heard=platforms.heard)


def _visitors(settings: Settings, options: Options, pages: list[str], ledger: Ledger) -> Visitors:
    rate_per_s = options.rate_per_s / (len(pages) + 1)
    return Visitors(place_of(settings), ledger, rate_per_s=rate_per_s, seed=options.seed)


def _headline(settings: Settings, options: Options) -> str:
    until = "Ctrl-C stops" if options.seconds is None else f"for {options.seconds:g} s"
    ingress = settings.ingress
    agents = f"{options.agents} agents at {gateway_url(settings)}"
    return f"{options.rate_per_s:g} messages/s to http://{ingress.host}:{ingress.port} · {agents} · {until}"


async def _work(
    simulator: Simulator,
    visitors: Visitors,
    staff: Staff,
    attending: Coroutine[Any, Any, None],
    options: Options,
    stop: Stop,
) -> None:
    """Customers write and agents answer until the time is over or somebody asks to stop.

    What is under way then has a little time.
    """
    posting = asyncio.create_task(simulator.run())
    visiting = asyncio.create_task(visitors.run())
    answering = asyncio.create_task(attending)
    over = asyncio.create_task(_over(staff, options.seconds))
    asked = asyncio.create_task(stop.asked.wait())
    tasks = (posting, visiting, answering, over, asked)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        simulator.stop()
        visitors.stop()
        staff.stop()
        working = (posting, visiting, answering)
        await asyncio.wait(working, timeout=SETTLE_TIMEOUT_S)
        for task in working:
            if task.done():
                task.result()
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)


async def _over(staff: Staff, seconds: float | None) -> None:
    """Wait for so long, or for ever, from the moment at which all agents have come."""
    with suppress(TimeoutError):
        async with asyncio.timeout(COMING_TIMEOUT_S):
            await staff.begun.wait()
    await asyncio.sleep(FOR_EVER_S if seconds is None else seconds)


async def _drained(lags: Lags, watch: Watch) -> None:
    await lags.until_none()
    await watch.until_seen()


async def _caught_up(waiting: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(CATCH_UP_TIMEOUT_S):
            await waiting
    except TimeoutError:
        raise TongdaiError(
            f"The workers have not worked through everything in {CATCH_UP_TIMEOUT_S:g} s: see what they said."
        ) from None


async def _show_lags(lags: Lags, picture: Picture) -> None:
    while True:
        picture.lags = await lags.read_or_none() or {}
        await asyncio.sleep(LAG_INTERVAL_S)
