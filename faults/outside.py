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
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.ingress import MessengerApp
from config.settings import Settings
from faults.town import PAGES, WORKSPACE
from schemas.ids import account_of
from workers.channels.delivery.connecting import Tokens, connect_page
from workers.channels.delivery.marker import read_marker
from workers.channels.delivery.vault import Vault
from workers.local.ports import LOOPBACK, free_port
from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.messenger_platform import MessengerPlatform
from workers.local.simulator.platform.serving import serving
from workers.local.simulator.platform.teller import Teller
from workers.webhooks.administering import Webhooks
from workers.webhooks.endpoint import NewEndpoint
from workers.webhooks.signing import Keys

SETTLED_S, LOOK_S, READ_S = 90.0, 0.5, 30.0
FAILS_EACH = 17
"""One in so many webhooks is not taken at first."""
_ANSWERS = """
SELECT m.message_id, d.state, coalesce(d.open, true) AS open, d.reason FROM message m
LEFT JOIN delivery d ON d.workspace_id = m.workspace_id AND d.message_id = m.message_id
WHERE m.sender = 'agent' AND m.kind = 'text' AND m.channel_message_id IS NULL AND m.conversation_id IN (
    SELECT conversation_id FROM conversation WHERE page_id = ANY($1::text[]))
"""
_ARRIVED = ("sent", "delivered", "read")


class Everybody(dict[str, float]):
    """All customers have just written."""

    def get(self, _: object, __: object = None) -> float:
        return time.time()


class Outside:
    """The Messenger's pages of the town, and one endpoint that is told of all assignments."""

    def __init__(self) -> None:
        self._messenger_port, self._shop_port = free_port(), free_port()
        self._delivery_key, self._webhooks_key = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self._accounts = {
            page: Account(account_of(page), secrets.token_urlsafe(24), 10_000, heard_at_s=Everybody())
            for page in PAGES
            if page.startswith("messenger:")
        }
        self._secret = ""
        self.told: list[tuple[str, str, int]] = []
        """Of each event that was taken: id, conversation, number in its chain."""
        self._asked = 0

    @property
    def given(self) -> Mapping[str, int]:
        """How often each kind of worker has asked for something, so far."""
        calls = sum(account.calls for account in self._accounts.values())
        return {"delivery": calls, "webhooks": self._asked}

    def environment(self) -> dict[str, str]:
        """What the workers that speak with them are told."""
        return {
            "TONGDAI_DELIVERY_KEYS": self._delivery_key,
            "TONGDAI_DELIVERY_MESSENGER_URL": f"http://{LOOPBACK}:{self._messenger_port}/v26.0",
            "TONGDAI_DELIVERY_ECHO_WAIT_S": "3",
            "TONGDAI_DELIVERY_RETRY_FIRST_S": "0.2",
            "TONGDAI_DELIVERY_RETRY_LAST_S": "2",
            "TONGDAI_WEBHOOKS_SIGNING_KEYS": self._webhooks_key,
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
        app = MessengerApp(app_secret=SecretStr("of the town"), verify_token=SecretStr("of the town"))
        messenger = MessengerPlatform(app, list(self._accounts.values()), Teller(None))
        shop = Starlette(routes=[Route("/hook", self._take, methods=["POST"])])
        async with serving(messenger.asgi, self._messenger_port), serving(shop, self._shop_port):
            yield

    async def connect(self, settings: Settings) -> None:
        """Give the pages their tokens, and ask to be told."""
        connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
        try:
            for page, account in self._accounts.items():
                await connect_page(connection, Vault([self._delivery_key]), page, Tokens(account.token))
            hook = f"http://{LOOPBACK}:{self._shop_port}/hook"
            asked = {"id": "shop", "url": hook, "events": ["assignments"], "from": "beginning"}
            webhooks = Webhooks(_allowing(settings, self._webhooks_key), Keys(lambda: [self._webhooks_key]))
            made = await webhooks.add(connection, WORKSPACE, NewEndpoint.model_validate(asked), "cli:faults")
            self._secret = made.secret
        finally:
            await connection.close()

    async def checks(self, dsn: str, servers: str, topic: str, partitions: int) -> list[dict[str, Any]]:
        """What must hold of them, as the checker says it, once all is told or the time for it is over."""
        rows = await self._answers(dsn)
        events = await _read(servers, topic, partitions)
        deadline = time.monotonic() + SETTLED_S
        while not events.keys() <= {id_ for id_, _, _ in self.told} and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_S)
        return [self._once_on_its_platform(rows), self._told(events), self._in_order()]

    def _once_on_its_platform(self, rows: list[asyncpg.Record]) -> dict[str, Any]:
        given: Counter[str] = Counter()
        for account in self._accounts.values():
            for said in account.said:
                marked = read_marker(said.marker)
                given[str(marked.message) if marked else "unmarked"] += 1
        wrong = []
        for row in rows:
            times = given.pop(str(row["message_id"]), 0)
            may = (1,) if row["state"] in _ARRIVED else (0, 1) if row["state"] == "unknown" else (0,)
            if row["open"] or times not in may:
                wrong.append(f"{row['message_id']}: {row['state']} ({row['reason']}), given {times} times")
        wrong += [f"{message}: nobody said it, given {times} times" for message, times in given.items()]
        states = Counter(str(row["state"]) for row in rows)
        return _check(
            1,
            "each answer is once on its platform, or known not to be",
            len(rows),
            wrong,
            states=dict(states),
        )

    def _told(self, events: dict[str, tuple[str, int]]) -> dict[str, Any]:
        times = Counter(id_ for id_, _, _ in self.told)
        wrong = [f"{id_} ({events[id_]}) was never told" for id_ in events.keys() - times.keys()]
        wrong += [f"{id_} was told and is no event" for id_ in times.keys() - events.keys()]
        more = {"told": self._asked, "repeated": len(self.told) - len(times)}
        return _check(
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
        return _check(2, "the shop was told of each conversation in its order", len(last), wrong)

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

    async def _answers(self, dsn: str) -> list[asyncpg.Record]:
        """What agents have said on these pages, once all of it is settled."""
        connection = await asyncpg.connect(dsn)
        deadline = time.monotonic() + SETTLED_S
        try:
            while True:
                rows: list[asyncpg.Record] = await connection.fetch(_ANSWERS, list(self._accounts))
                if not any(row["open"] for row in rows) or time.monotonic() > deadline:
                    return rows
                await asyncio.sleep(LOOK_S)
        finally:
            await connection.close()


def _allowing(settings: Settings, key: str) -> Settings:
    values = settings.model_dump(exclude={"webhooks"}, exclude_unset=True)
    own = {"signing_keys": [key], "allow_networks": ["127.0.0.0/8"]}
    return Settings.model_validate({**values, "webhooks": own})


def _check(invariant: int, title: str, checked: int, wrong: list[str], **more: object) -> dict[str, Any]:
    return {
        "invariant": invariant,
        "title": title,
        "holds": not wrong,
        "checked": checked,
        "violations": len(wrong),
        "witness": wrong[0] if wrong else None,
        **more,
    }


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
