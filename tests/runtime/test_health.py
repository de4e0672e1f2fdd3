"""What a worker tells on its health port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client.metrics import MetricWrapperBase

from config.errors import ExitCode
from workers.runtime import metrics
from workers.runtime.health import HealthPortError, HealthServer
from workers.runtime.status import Status

DEADLINE_S = 90.0


def ready(kind: str) -> Status:
    return Status(kind, waiting_for=None, joined=True)


@asynccontextmanager
async def served(*statuses: Status) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a health server on a free port."""
    server = HealthServer(statuses, "127.0.0.1", 0)
    task = asyncio.create_task(server.serve())
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            yield client
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=DEADLINE_S)


async def test_healthz_answers_whatever_the_dependencies_do() -> None:
    async with served(Status("intake", waiting_for="Kafka")) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readyz_is_ok_when_every_runtime_has_its_lanes() -> None:
    async with served(ready("intake"), ready("desk")) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})


async def test_readyz_is_503_and_tells_why_of_each_runtime() -> None:
    desk = ready("desk")
    desk.stopped[3] = "poison"
    async with served(Status("intake", waiting_for="Kafka at nowhere:1"), desk) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "problems": ["intake waits for Kafka at nowhere:1", "desk lane 3 is stopped: poison"],
    }


async def test_readyz_follows_the_status() -> None:
    status = Status("intake", waiting_for="Kafka")
    async with served(status) as client:
        assert (await client.get("/readyz")).status_code == 503
        status.waiting_for, status.joined = None, True
        assert (await client.get("/readyz")).status_code == 200


async def test_metrics_names_every_metric_of_the_workers() -> None:
    ours = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    assert len(ours) >= 11
    async with served(ready("intake")) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    for metric in ours:
        [family] = metric.describe()
        suffix = "_total" if family.type == "counter" else ""
        assert f"# HELP {family.name}{suffix} {family.documentation}" in answer.text
        assert family.name.startswith("tongdai_")


async def test_a_port_that_is_taken_is_told_with_the_setting_that_helps() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HealthPortError, match=f"127.0.0.1:{port}.*TONGDAI_RUNTIME_HEALTH_PORT") as raised:
            HealthServer([], "127.0.0.1", port)
    assert raised.value.exit_code == ExitCode.CONFIGURATION


async def test_the_port_is_free_again_when_the_server_has_ended() -> None:
    async with served() as client:
        await client.get("/healthz")
        port = client.base_url.port
    assert port is not None
    socket.create_server(("127.0.0.1", port)).close()
