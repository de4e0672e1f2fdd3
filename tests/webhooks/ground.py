"""A receiver that checks signatures, records on real topics, and workers that tell one of the other."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import asyncpg
import orjson
from aiohttp import web
from aiokafka import AIOKafkaProducer
from standardwebhooks.webhooks import Webhook

from config.settings import Settings
from schemas.envelope import Kind, headers
from workers.webhooks.administering import Webhooks
from workers.webhooks.endpoint import NewEndpoint
from workers.webhooks.signing import Keys
from workers.webhooks.worker import Worker

DEADLINE_S = 90.0
SHOP = "shop"
KEY = "a-signing-key-of-the-tests-long-enough"
KEYS = Keys(lambda: [KEY])
ASSIGNED = Kind("assignments", "assigned")
STORED = Kind("messages", "stored")
ROOT = Path(__file__).parents[2]
FAST = {
    "signing_keys": [KEY],
    "allow_networks": ["127.0.0.0/8"],
    "request_timeout_s": 2.0,
    "lease_s": 4.0,
    "retry_first_s": 0.1,
    "retry_max_s": 0.4,
}

Answers = Callable[[dict[str, Any]], "int | web.Response"]


class Receiver:
    """An HTTP server that takes webhooks; what it answers may be chosen for each event."""

    def __init__(self, answers: Answers = lambda _: 204) -> None:
        self.answers = answers
        self.secrets: list[str] = []
        self.seen: list[tuple[str, dict[str, Any]]] = []
        """Ids and whole events that were answered with 2xx, in their order."""
        self.refused = 0
        self.held: asyncio.Event | None = None
        """While it is set and not done, nothing is answered."""
        self._some = asyncio.Event()
        self.url = ""

    def values(self, partition_key: str | None = None) -> list[int]:
        """The numbers of the events, once each, as they first came."""
        found = [
            event["data"]["n"]
            for _, event in self.seen
            if "n" in event["data"] and partition_key in {None, event["partitionkey"]}
        ]
        return list(dict.fromkeys(found))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds after what came."""
        async with asyncio.timeout(DEADLINE_S):
            while not holds():
                self._some.clear()
                await self._some.wait()

    async def until_told(self, count: int) -> None:
        """Wait until so many different events have come."""
        await self.until(lambda: len({id_ for id_, _ in self.seen}) == count)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        """Serve on a free port."""
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        (address,) = runner.addresses
        self.url = f"http://127.0.0.1:{address[1]}/hook"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        for secret in self.secrets:
            Webhook(secret).verify(body, dict(request.headers))
        if self.held is not None:
            await self.held.wait()
        event = orjson.loads(body)
        answer = self.answers(event)
        response = answer if isinstance(answer, web.Response) else web.Response(status=answer)
        if 200 <= response.status < 300:
            self.seen.append((request.headers["webhook-id"], event))
        else:
            self.refused += 1
        self._some.set()
        return response


def with_webhooks(settings: Settings, **more: object) -> Settings:
    """`settings` for quick tests."""
    values = settings.model_dump(exclude={"webhooks"}, exclude_unset=True)
    return Settings.model_validate({**values, "webhooks": {**FAST, **more}})


async def add(settings: Settings, id_: str, url: str, workspace: str = SHOP, **more: object) -> str:
    """Make an endpoint that is told everything from the beginning; returns its secret."""
    asked = {"id": id_, "url": url, "events": ["assignments", "messages"], "from": "beginning", **more}
    async with connected(settings) as connection:
        webhooks = Webhooks(settings, KEYS)
        return (
            await webhooks.add(connection, workspace, NewEndpoint.model_validate(asked), "cli:test")
        ).secret


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The test's database."""
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[Worker]:
    """A worker in this process."""
    worker, stopping = Worker(settings, KEYS), asyncio.Event()
    task = asyncio.create_task(worker.run(stopping))
    try:
        yield worker
    finally:
        stopping.set()
        await asyncio.wait_for(task, DEADLINE_S)


@asynccontextmanager
async def process(settings: Settings, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, killed at the end if it still runs."""
    kafka, webhooks = settings.kafka, settings.webhooks
    ours = {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "TONGDAI_POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "TONGDAI_WEBHOOKS_SIGNING_KEYS": KEY,
        "TONGDAI_WEBHOOKS_ALLOW_NETWORKS": "127.0.0.0/8",
        "TONGDAI_WEBHOOKS_REQUEST_TIMEOUT_S": str(webhooks.request_timeout_s),
        "TONGDAI_WEBHOOKS_LEASE_S": str(webhooks.lease_s),
        "PYTHONPATH": str(ROOT),
    }
    command = (sys.executable, "-m", "workers.cli.main", "worker", "webhooks")
    with (folder / f"worker-{uuid4().hex}.log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env={**os.environ, **ours}, stdout=log, stderr=log
        )
        try:
            yield running
        finally:
            if running.returncode is None:
                running.kill()
            await running.wait()


async def publish(
    settings: Settings,
    topic: str,
    numbers: Sequence[int],
    *,
    key: str = "messenger:1:u1",
    workspace: str = SHOP,
    kind: Kind = ASSIGNED,
    data: dict[str, object] | None = None,
) -> None:
    """Put events on a topic (full name), those of one key in their order; they are there at the end."""
    async with AIOKafkaProducer(
        **settings.kafka.client_options(), acks="all", enable_idempotence=True
    ) as producer:
        sent = []
        for number in numbers:
            value = orjson.dumps({"workspace": workspace, "n": number, **(data or {})})
            id_ = uuid5(NAMESPACE_URL, f"{topic}/{key}/{number}")
            named = headers(kind, id_=id_, source="tests", subject=key, time="2026-11-22T08:15:00.000Z")
            sent.append(await producer.send(topic, value, key=key.encode(), headers=named))
        await asyncio.gather(*sent)
