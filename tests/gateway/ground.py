"""A shop with two pages, and a gateway before real Kafka and Postgres."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaProducer
from websockets.asyncio.client import ClientConnection, connect

from config.settings import Settings
from schemas.commands import Configure
from schemas.definitions import Agent, Page, Rule
from schemas.envelope import Kind, headers
from schemas.ids import conversation_id, conversation_key
from schemas.outcomes import Done
from workers.gateway import accounts, process
from workers.gateway.accounts import Account
from workers.gateway.identity import Role
from workers.routing.worker import routing_handlers
from workers.runtime.handler import Handler
from workers.runtime.runtime import Runtime, read_topology
from workers.workspace.command_writer import send
from workers.workspace.outcome_reader import OutcomeReader

SHOP = "shop"
PAGE, OTHER_PAGE = "messenger:1", "messenger:2"
PASSWORD = "mat khau cua shop"
KEY = "a signing key of the tests, long enough"
DEADLINE_S = 90.0
PEOPLE: dict[str, Role] = {
    "lan": "agent",
    "minh": "agent",
    "ha": "page_admin",
    "nga": "agent",
    "chu": "admin",
}
"""lan and minh answer the first page, ha administers it; nga answers the other one; chu owns the shop."""


def configure() -> Configure:
    """The roster of the shop."""
    return Configure(
        workspace=SHOP,
        desk="main",
        actor=f"cli:{uuid4()}",
        idempotency_key=str(uuid4()),
        agents=tuple(Agent(id=one, name=one) for one in PEOPLE),
        departments=(),
        pages=(Page(id=PAGE, name="one", admins=("ha",)), Page(id=OTHER_PAGE, name="two", admins=("chu",))),
        rules=(
            Rule(
                id="first",
                name="first",
                owner="ha",
                pages=(PAGE,),
                agents=("lan", "minh"),
                method="self_claim",
                reply_claims=True,
            ),
            Rule(id="second", name="second", owner="chu", pages=(OTHER_PAGE,), agents=("nga",)),
        ),
    )


class Client(NamedTuple):
    """Somebody who has signed in."""

    http: httpx.AsyncClient
    token: str

    async def ask(
        self,
        call: str,
        body: dict[str, Any] | None = None,
        key: str | None = None,
        method: str = "POST",
        version: int | None = None,
    ) -> httpx.Response:
        """Send a command, under a key of its own unless one is given; for a desk of this version."""
        named = {"authorization": f"Bearer {self.token}", "idempotency-key": key or str(uuid4())}
        named |= {} if version is None else {"if-match": f'"{version}"'}
        return await self.http.request(method, f"/api/v1/{call}", headers=named, json=body)

    async def get(self, path: str) -> httpx.Response:
        """Ask for something."""
        return await self.http.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {self.token}"})

    def socket(self) -> connect:
        """A WebSocket that nobody has signed in on."""
        url = str(self.http.base_url).replace("http", "ws", 1).rstrip("/")
        # With a limit, who goes with more unread waits 10 s for a close frame that he does not read.
        return connect(f"{url}/api/v1/ws", compression=None, max_queue=None)

    @asynccontextmanager
    async def signed_in(self, last_event_id: str | None = None) -> AsyncIterator[ClientConnection]:
        """A WebSocket of his."""
        async with self.socket() as socket:
            said = {"do": "sign_in", "token": self.token, "last_event_id": last_event_id}
            await socket.send(orjson.dumps(said).decode())
            yield socket


def with_gateway(settings: Settings, **gateway: object) -> Settings:
    """`settings` with a gateway on a free port, and more."""
    values = settings.model_dump(exclude={"gateway"}, exclude_unset=True)
    own = {"port": 0, "signing_key": KEY, **gateway}
    return Settings.model_validate({**values, "gateway": own})


@asynccontextmanager
async def gateway(settings: Settings, **more: object) -> AsyncIterator[httpx.AsyncClient]:
    """A ready gateway, and a client of it."""
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = process.serve(with_gateway(settings, **more), on_listening=url.set_result, stop=stop)
    task = asyncio.create_task(serving)
    try:
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.wait((task, url), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        async with httpx.AsyncClient(base_url=await url, timeout=30.0) as client:
            async with asyncio.timeout(DEADLINE_S):
                while (await client.get("/readyz")).status_code != httpx.codes.OK:
                    await asyncio.sleep(0.05)
            yield client
    finally:
        stop.set()
        await asyncio.wait_for(task, DEADLINE_S)


async def sign_in(http: httpx.AsyncClient, who: str) -> Client:
    """Sign somebody of the shop in."""
    credentials = {"workspace": SHOP, "login": who, "password": PASSWORD}
    answer = await http.post("/api/v1/sign-in", json=credentials)
    assert answer.status_code == httpx.codes.OK, answer.text
    return Client(http, answer.json()["access_token"])


async def add_people(connection: asyncpg.Connection[Any]) -> None:
    """Give everybody of the shop an account, all with one password's hash."""
    await accounts.add_account(connection, SHOP, Account("lan", "agent", "lan", active=True), PASSWORD)
    for who, role in PEOPLE.items():
        await connection.execute(
            "INSERT INTO account (workspace_id, login, password_hash, role, agent_id) "
            "SELECT $1, $2, password_hash, $3, $2 FROM account WHERE login = 'lan' ON CONFLICT DO NOTHING",
            *(SHOP, who, role),
        )


@asynccontextmanager
async def routing(
    settings: Settings, command: Configure, beside: Sequence[Handler] = ()
) -> AsyncIterator[None]:
    """Intake, desk and handlers beside them at work, a roster applied."""
    topology = await read_topology(settings)
    stopping = asyncio.Event()
    handlers = (*routing_handlers(topology, settings), *beside)
    runtimes = [Runtime(handler, topology, settings) for handler in handlers]
    tasks = [asyncio.create_task(runtime.run(stopping)) for runtime in runtimes]
    try:
        await _apply(settings, command)
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_S)


async def _apply(settings: Settings, command: Configure) -> None:
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    for page in command.pages:
        await connection.execute("INSERT INTO page_registry VALUES ($1, $2, $3)", page.id, SHOP, "main")
    for agent in command.agents:
        await connection.execute("INSERT INTO agent_registry VALUES ($1, $2, $3)", SHOP, agent.id, "main")
    await connection.close()
    reader = OutcomeReader(settings, command.actor)
    await reader.start()
    await send(settings, [command])
    found = await asyncio.wait_for(reader.wait_for({command.idempotency_key}), DEADLINE_S)
    await reader.stop()
    assert isinstance(found[command.idempotency_key], Done), found


async def publish(
    settings: Settings, topic: str, records: Sequence[tuple[Kind, str, dict[str, Any]]]
) -> None:
    """Put records on a topic (full name), those of one key in their order; they are there at the end."""
    options = settings.kafka.client_options()
    async with AIOKafkaProducer(**options, acks="all", enable_idempotence=True) as producer:
        sent = []
        for kind, key, value in records:
            named = headers(kind, id_=uuid4(), source="tests", subject=key, time="2026-11-22T08:15:00.000Z")
            sent.append(await producer.send(topic, orjson.dumps(value), key=key.encode(), headers=named))
        await asyncio.gather(*sent)


async def customer_writes(settings: Settings, topics: dict[str, str], user: str, account: str = "1") -> UUID:
    """A customer writes to a page; returns the conversation."""
    key = conversation_key("messenger", account, user)
    said = {
        "channel": "messenger",
        "account": account,
        "user": user,
        "channel_message_id": f"m-{uuid4()}",
        "text": "Shop ơi",
        "sent_at_ms": int(time.time() * 1000),
    }
    await publish(settings, topics["inbound"], [(Kind("inbound", "message"), key, said)])
    return conversation_id(key)


@asynccontextmanager
async def shop(
    settings: Settings, roster: Configure | None = None, beside: Sequence[Handler] = ()
) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The shop at work, with everybody's account; its database.

    `roster`: another one than its own; `beside`: handlers whose lanes run with intake's and the desk's.
    """
    async with AsyncExitStack() as stack:
        connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
        stack.push_async_callback(connection.close)
        await add_people(connection)
        await stack.enter_async_context(routing(settings, roster or configure(), beside))
        yield connection
