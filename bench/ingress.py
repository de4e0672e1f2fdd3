"""Webhooks at one ingress while the workers drain them: at a steady rate, then in a storm."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer

from bench.arena import DATA_DIR, Course, open_arena
from bench.failures import BenchError
from bench.generator import generate
from bench.machine import Machine
from bench.percentiles import Percentiles
from bench.posts.poster import PostsPlan
from bench.program import TONGDAI, Program, environment
from bench.progress import partitions
from bench.roster import configure_desk, register_pages
from bench.sockets.team import start, start_workers
from bench.throughput import Tell
from bench.workload import PAGES
from config.problem import variable
from config.settings import Settings
from config.topics import INBOUND
from workers.local.ports import free_port

INGRESS = (*TONGDAI, "worker", "ingress")
SECRET, ACCOUNT = "a secret of the benchmark", PAGES[0].partition(":")[2]
NO_LIMIT = "1000000"
CUSTOMERS = 2_000
CONNECTIONS_MAX = 3_000
SLACK_S = 120.0
READ_DEADLINE_S = 120.0


@dataclass(frozen=True)
class IngressPlan:
    """Posts a second and for how long, steadily and in the storm."""

    rate_per_s: float = 2_000.0
    seconds: float = 60.0
    storm_per_s: float = 5_000.0
    storm_s: float = 20.0


class Posted(NamedTuple):
    """What became of the posts of one part. Times in milliseconds from when each was due."""

    posts: int
    rate_per_s: float
    """As the generator managed it."""
    accepted_ms: list[float]
    refused_ms: list[float]
    """Of those that were told to come again: 503 with Retry-After."""
    others: dict[str, int]
    """By status; 0: the connection was lost."""
    ingress_us: float
    """Its processor time for each post, whatever became of it: what a crowded machine leaves comparable."""
    ingress_busy: float
    generator_busy: float
    """Of one core: near 1 the figures would be the generator's."""

    @property
    def accepted(self) -> float:
        """The share."""
        return len(self.accepted_ms) / self.posts

    @property
    def slowest_ms(self) -> float:
        return max([*self.accepted_ms, *self.refused_ms], default=0.0)

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "posts": self.posts,
            "rate_per_s": self.rate_per_s,
            "accepted": round(self.accepted, 4),
            "accepted_ms": asdict(Percentiles.of(self.accepted_ms)) if self.accepted_ms else None,
            "refused": len(self.refused_ms),
            "refused_ms": asdict(Percentiles.of(self.refused_ms)) if self.refused_ms else None,
            "others": self.others,
            "slowest_ms": self.slowest_ms,
            "ingress_us": self.ingress_us,
            "ingress_busy": self.ingress_busy,
            "generator_busy": self.generator_busy,
        }


@dataclass(frozen=True)
class IngressLoad:
    """What was found. Every post that was answered 200 lies on inbound."""

    plan: IngressPlan
    steady: Posted
    storm: Posted
    machine: Machine

    def report(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "steady": self.steady.report(),
            "storm": self.storm.report(),
            "machine": asdict(self.machine),
            "workload": asdict(self.plan),
        }


async def measure(
    settings: Settings, plan: IngressPlan, tell: Tell, data_dir: Path = DATA_DIR
) -> IngressLoad:
    """Run both. Raises BenchError, also when a post that was answered 200 is lost, and DependencyError."""
    async with open_arena(settings, data_dir) as arena, arena.course() as course, AsyncExitStack() as stack:
        await register_pages(course.connection)
        await configure_desk(course.settings)
        await start_workers(course, stack)
        port = free_port()
        ingress = await start("ingress", INGRESS, _apps(course, port), port, course, stack)
        steady, kept = await _post(ingress, port, "steady", plan.rate_per_s, plan.seconds)
        tell(f"steady: {steady.accepted:.1%} of {steady.posts:,} accepted")
        storm, more = await _post(ingress, port, "storm", plan.storm_per_s, plan.storm_s)
        tell(f"storm: {storm.accepted:.1%} of {storm.posts:,} accepted")
        await _check(course.settings, {*kept, *more})
        tell("each that was answered 200 lies on inbound")
        return IngressLoad(plan, steady, storm, arena.machine)


async def _post(
    ingress: Program, port: int, run: str, rate_per_s: float, seconds: float
) -> tuple[Posted, list[str]]:
    """One part, and the ids that were accepted."""
    plan = PostsPlan(run, port, SECRET, ACCOUNT, CUSTOMERS, rate_per_s, seconds, CONNECTIONS_MAX)
    cpu_s = ingress.cpu_s()
    found = await generate("bench.posts.poster", plan, seconds + SLACK_S)
    if found["without_retry_after"]:
        raise BenchError(f"{found['without_retry_after']} refusals do not say when to come again")
    used_s, posts = ingress.cpu_s() - cpu_s, sum(found["statuses"].values())
    others = {status: count for status, count in found["statuses"].items() if status not in {"200", "503"}}
    posted = Posted(
        posts,
        found["rate_per_s"],
        found["accepted_ms"],
        found["refused_ms"],
        others,
        round(used_s / posts * 1e6, 1),
        round(used_s / seconds, 3),
        found["busy"],
    )
    return posted, found["accepted"]


async def _check(settings: Settings, accepted: Collection[str]) -> None:
    """Raises BenchError when one of them is not on inbound."""
    left = set(accepted)
    consumer = AIOKafkaConsumer(**settings.kafka.client_options(), enable_auto_commit=False)
    await consumer.start()
    try:
        places = list(partitions(settings, INBOUND))
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        async with asyncio.timeout(READ_DEADLINE_S):
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    left -= {orjson.loads(one.value)["channel_message_id"] for one in records}
    finally:
        await consumer.stop()
    if left:
        raise BenchError(f"{len(left)} posts were answered 200 and are not on inbound, e.g. {min(left)}")


def _apps(course: Course, port: int) -> dict[str, str]:
    """The environment of an ingress with one app, to which one address may post at any rate."""
    apps = [{"name": "bench", "app_secret": SECRET, "verify_token": SECRET}]
    return environment(course.settings) | {
        variable("ingress", "port"): str(port),
        variable("ingress", "messenger_apps"): orjson.dumps(apps).decode(),
        variable("ingress", "rate_per_s"): NO_LIMIT,
        variable("ingress", "rate_burst"): NO_LIMIT,
        variable("ingress", "page_rate_per_s"): NO_LIMIT,
        variable("ingress", "page_rate_burst"): NO_LIMIT,
    }
