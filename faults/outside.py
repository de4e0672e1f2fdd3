"""Others' systems around a run: a Messenger that takes agents' answers, and a shop that is told of events.

They are strict and count: what they were given is compared with what the tables and topics say was told.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.settings import Settings
from faults.messenger import Messenger
from faults.outcome import outcome
from faults.town import WORKSPACE
from workers.local.ports import LOOPBACK, free_port
from workers.local.simulator.platform.serving import serving
from workers.webhooks.administering import Webhooks
from workers.webhooks.endpoint import NewEndpoint
from workers.webhooks.signing import Keys

SETTLED_S, LOOK_S, READ_S = 90.0, 0.5, 30.0
FAILS_EACH = 17
"""One in so many webhooks is not taken at first."""


class Outside:
    """The Messenger's pages of the town, and one endpoint that is told of all assignments."""

    def __init__(self) -> None:
        self.messenger = Messenger()
        self._shop_port, self._key = free_port(), secrets.token_urlsafe(48)
        self._secret = ""
        self.told: list[tuple[str, str, int]] = []
        """Of each event that was taken: id, conversation, number in its chain."""
        self._asked = 0

    @property
    def given(self) -> Mapping[str, int]:
        """How often each kind of worker has asked for something, so far."""
        messenger = self.messenger
        return {"delivery": messenger.asked, "webhooks": self._asked, "ingress": messenger.answered}

    def environment(self) -> dict[str, str]:
        """What the workers that speak with them are told."""
        return {
            **self.messenger.environment(),
            "TONGDAI_WEBHOOKS_SIGNING_KEYS": self._key,
            "TONGDAI_WEBHOOKS_ALLOW_NETWORKS": "127.0.0.0/8",
            "TONGDAI_WEBHOOKS_LEASE_S": "5",
            "TONGDAI_WEBHOOKS_CONNECT_TIMEOUT_S": "1",
            "TONGDAI_WEBHOOKS_REQUEST_TIMEOUT_S": "2",
            "TONGDAI_WEBHOOKS_RETRY_FIRST_S": "0.2",
            "TONGDAI_WEBHOOKS_RETRY_MAX_S": "1",
        }

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Be there."""
        shop = Starlette(routes=[Route("/hook", self._take, methods=["POST"])])
        async with self.messenger.at_work(), serving(shop, self._shop_port):
            yield

    async def connect(self, settings: Settings) -> None:
        """Give the pages their tokens, and ask to be told."""
        async with _connected(settings.postgres.dsn.get_secret_value()) as connection:
            await self.messenger.connect(connection)
            hook = f"http://{LOOPBACK}:{self._shop_port}/hook"
            asked = {"id": "shop", "url": hook, "events": ["assignments"], "from": "beginning"}
            webhooks = Webhooks(_allowing(settings, self._key), Keys(lambda: [self._key]))
            made = await webhooks.add(connection, WORKSPACE, NewEndpoint.model_validate(asked), "cli:faults")
            self._secret = made.secret

    async def settled(self, dsn: str) -> None:
        """Wait until all is said that will be said of answers. Raises TimeoutError."""
        async with _connected(dsn) as connection:
            await self.messenger.settled(connection)

    async def checks(self, dsn: str, servers: str, topic: str, partitions: int) -> list[dict[str, Any]]:
        """What must hold of them, as the checker says it, once all is told or the time for it is over."""
        async with _connected(dsn) as connection:
            answers = await self.messenger.check(connection)
        events = await _read(servers, topic, partitions)
        deadline = time.monotonic() + SETTLED_S
        while not events.keys() <= {id_ for id_, _, _ in self.told} and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_S)
        return [answers, self._told(events), self._in_order()]

    def _told(self, events: dict[str, tuple[str, int]]) -> dict[str, Any]:
        times = Counter(id_ for id_, _, _ in self.told)
        wrong = [f"{id_} ({events[id_]}) was never told" for id_ in events.keys() - times.keys()]
        wrong += [f"{id_} was told and is no event" for id_ in times.keys() - events.keys()]
        more = {"told": self._asked, "repeated": len(self.told) - len(times)}
        return outcome(
            4, "the shop was told of each assignments event, and of nothing else", len(events), wrong, **more
        )

    def _in_order(self) -> dict[str, Any]:
        last: dict[str, int] = {}
        seen, wrong = set(), []
        for id_, conversation, seq in self.told:
            if id_ not in seen and seq != last.get(conversation, 0) + 1:
                wrong.append(f"{conversation}: {seq} was told after {last.get(conversation, 0)}")
            seen.add(id_)
            last[conversation] = max(seq, last.get(conversation, 0))
        return outcome(2, "the shop was told of each conversation in its order", len(last), wrong)

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        try:
            Webhook(self._secret).verify(body, dict(request.headers))
        except WebhookVerificationError:
            return Response(status_code=401)
        self._asked += 1
        if self._asked % FAILS_EACH == 0:
            return Response(status_code=503)
        event = orjson.loads(body)
        data = event["data"]
        if "seq" in data:
            self.told.append((request.headers["webhook-id"], data["key"], data["seq"]))
        return Response(status_code=204)


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def _allowing(settings: Settings, key: str) -> Settings:
    values = settings.model_dump(exclude={"webhooks"}, exclude_unset=True)
    own = {"signing_keys": [key], "allow_networks": ["127.0.0.0/8"]}
    return Settings.model_validate({**values, "webhooks": own})


async def _read(servers: str, topic: str, partitions: int) -> dict[str, tuple[str, int]]:
    """The chains' events by their ids: conversation and number."""
    found: dict[str, tuple[str, int]] = {}
    async with (
        AIOKafkaConsumer(
            bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False
        ) as consumer,
        asyncio.timeout(READ_S),
    ):
        parts = [TopicPartition(topic, number) for number in range(partitions)]
        ends = await consumer.end_offsets(parts)
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        while any([await consumer.position(part) < ends[part] for part in parts]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    value = orjson.loads(record.value)
                    if "seq" in value:
                        id_ = dict(record.headers)["ce_id"].decode()
                        found[id_] = value["key"], value["seq"]
    return found
