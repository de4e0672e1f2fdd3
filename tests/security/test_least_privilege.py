"""Every worker under a user of its own, over TLS to both servers: the whole way works, and nothing else does.

What was written meanwhile, to logs, topics, tables and answers, has none of the secrets in it.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from pydantic import SecretStr

from config.errors import DependencyError
from config.log import LogSettings
from config.logging import configure_logging
from config.settings import Settings
from config.topics import CATALOGUE
from config.topics_apply import apply_topics
from tests.channels.conftest import running, until_ready
from tests.channels.webhooks import sign_messenger
from tests.gateway.ground import (
    PASSWORD,
    SHOP,
    Client,
    _apply,
    add_people,
    configure,
    gateway,
    sign_in,
)
from tests.security.certificates import issue
from tests.security.fortress import PREFIX, ROLES, Fortress, fortress
from tests.waiting import until
from tests.webhooks.ground import Receiver
from workers.access.rights import VERSION_TABLE, WORKERS
from workers.channels.delivery.connecting import Tokens, connect_page
from workers.channels.delivery.dispatcher import Dispatcher
from workers.channels.delivery.vault import Vault
from workers.channels.delivery.worker import delivery_handlers
from workers.gateway.service_tokens import add_service_token
from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.messenger_platform import MessengerPlatform
from workers.local.simulator.platform.serving import serving
from workers.local.simulator.platform.teller import Teller
from workers.migrations import pending_migrations
from workers.notifier.worker import notifier_handlers
from workers.routing.worker import routing_chores, routing_handlers
from workers.runtime.failures import DependencyDownError
from workers.runtime.postgres import connect, disconnect
from workers.runtime.runtime import Runtime, read_topology
from workers.runtime.upkeep import keep_up
from workers.runtime.worker import MakeHandlers
from workers.webhooks.administering import Webhooks
from workers.webhooks.endpoint import NewEndpoint
from workers.webhooks.signing import Keys
from workers.webhooks.worker import Worker

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]

DEADLINE_S = 90.0
READ = (
    *("me", "conversations", "counts", "pages", "rules", "agents", "audit", "customers/mine", "webhooks"),
    *("desks", "desks/main/rules", "desks/main/policy"),
    *("conversations?q=u", "conversations?text=shop", "conversations/count"),
)
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
CHANGE = {
    "agents": [{"id": "moi", "name": "Mới"}],
    "pages": [{"id": "messenger:1", "name": "Một", "admins": ["ha"]}],
}
TEXT = "Shop ơi, what a customer writes"


def canary(what: str) -> str:
    """A secret that can be found again."""
    return f"canary-{what}-{secrets.token_hex(12)}"


class Secrets:
    """All that must not be found, by what it is."""

    def __init__(self) -> None:
        self.app = {"name": "ours", "app_secret": canary("app"), "verify_token": canary("verify")}
        self.signing, self.vault, self.hooks = canary("signing"), canary("vault"), canary("hooks")
        self.page, self.path = canary("page"), canary("path")
        self.given: dict[str, str] = {}
        """What was granted while they worked."""

    def all(self, made: Fortress) -> dict[str, str]:
        own = {"app": self.app["app_secret"], "verify": self.app["verify_token"], "page": self.page}
        own |= {"path": self.path}
        keys = {"signing": self.signing, "vault": self.vault, "hooks": self.hooks, "password": PASSWORD}
        return {**made.passwords, **own, **keys, **self.given}


class Log:
    """What workers write on stderr."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written = StringIO()
        self._monkeypatch = monkeypatch

    def write(self, level: Literal["info", "debug"]) -> None:
        """Write from now on at this level."""
        with self._monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", self.written)
            configure_logging(LogSettings(format="json", level=level))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """The log, at its usual level at first."""
    made = Log(monkeypatch)
    made.write("info")
    yield made
    configure_logging(LogSettings())


@asynccontextmanager
async def lanes(settings: Settings, handlers: MakeHandlers) -> AsyncIterator[None]:
    """One worker's lanes at work."""
    topology, stopping = await read_topology(settings), asyncio.Event()
    runtimes = [Runtime(handler, topology, settings) for handler in handlers(topology, settings)]
    tasks = [asyncio.create_task(runtime.run(stopping)) for runtime in runtimes]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_S)


@asynccontextmanager
async def beside(coroutine: Any) -> AsyncIterator[None]:  # noqa: ANN401 - any
    """Something that goes on until the end of the block."""
    task = asyncio.create_task(coroutine)
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("log_restored")
async def test_the_whole_way_works_with_the_rights_of_each_worker_and_tells_no_secret(
    server_dir: Path, log: Log
) -> None:
    known = Secrets()
    async with fortress(server_dir) as made:
        owner = await asyncpg.connect(made.operator.postgres.dsn.get_secret_value())
        await add_people(owner)
        told = await the_whole_way(made, known, owner)
        await only_their_tables(owner)
        log.write("debug")  # from here on libraries tell all of their talks, too
        await nothing_else_of_postgres(made)
        await nothing_else_of_kafka(made)
        await only_to_who_is_known(made, server_dir)
        told["tables"] = await tables(owner)
        told["topics"] = await topics(made)
        await owner.close()
    told["log"] = log.written.getvalue()
    assert TEXT in told["topics"]
    assert TEXT in told["tables"]
    assert "term_began" in told["log"]
    for place, text in told.items():
        for what, secret in known.all(made).items():
            assert secret not in text, f"{what} stands in {place}"
    assert "what a customer writes" not in told["log"]


async def the_whole_way(made: Fortress, known: Secrets, owner: asyncpg.Connection[Any]) -> dict[str, str]:
    """A customer writes, an agent is told, takes it and answers; a webhook is told. All that was answered."""
    account = Account("1", known.page)
    app = {name: SecretStr(value) if name != "name" else value for name, value in known.app.items()}
    async with AsyncExitStack() as stack:
        come = stack.enter_async_context
        bots = [{"account": "b", "path_token": known.path}]
        channels = {"messenger_apps": [app], "fchat_bots": bots, "port": 0}
        own = made.settings("ingress", ingress=channels)
        platform = MessengerPlatform(own.ingress.messenger_apps[0], [account], Teller(None))
        facebook = await come(serving(platform.asgi))
        receiver = await come(Receiver().listening())
        routing = made.settings("routing")
        await come(lanes(routing, routing_handlers))
        await come(beside(keep_up(routing_chores(), routing)))
        await come(lanes(made.settings("notifier"), notifier_handlers))
        delivery = made.settings(
            "delivery", delivery={"messenger_url": f"{facebook}/v26.0"}, ingress={"messenger_apps": [app]}
        )
        vault = Vault([known.vault])
        await come(lanes(delivery, delivery_handlers))
        await come(beside(Dispatcher(delivery, vault).run()))
        hooks = {"signing_keys": [known.hooks], "allow_networks": ["127.0.0.0/8"]}
        webhooks, stopping = made.settings("webhooks", webhooks=hooks), asyncio.Event()
        worker = asyncio.create_task(Worker(webhooks, Keys(lambda: [known.hooks])).run(stopping))
        stack.push_async_callback(asyncio.wait_for, worker, DEADLINE_S)
        stack.callback(stopping.set)
        await _apply(made.operator, configure())
        await connect_page(owner, vault, "messenger:1", Tokens(known.page, None, "ours"))
        known.given["service"] = await add_service_token(owner, SHOP, "crm", ["conversations"], None)
        endpoint = {"id": "crm", "url": receiver.url, "events": ["assignments"], "from": "beginning"}
        administering = Webhooks(webhooks, Keys(lambda: [known.hooks]))
        created = await administering.add(owner, SHOP, NewEndpoint.model_validate(endpoint), "cli:test")
        known.given["hook"] = created.secret
        receiver.secrets = [created.secret]
        ingress = await come(running(own))
        http = await come(gateway(made.settings("gateway"), signing_key=known.signing))
        await until_ready(ingress)
        answers = await talk(ingress, http, known, account, owner)
        await receiver.until(lambda: any("assigned" in event["type"] for _, event in receiver.seen))
        await until(owner, "SELECT FROM webhook_attempt WHERE error IS NULL")
        return answers


async def talk(
    ingress: httpx.AsyncClient,
    http: httpx.AsyncClient,
    known: Secrets,
    account: Account,
    owner: asyncpg.Connection[Any],
) -> dict[str, str]:
    """What customer and agent say, with some mistakes; all that they are answered."""
    answers: list[httpx.Response] = []
    for wrong in ("lan", "nobody"):
        credentials = {"workspace": SHOP, "login": wrong, "password": f"{PASSWORD}!"}
        answers.append(await http.post("/api/v1/sign-in", json=credentials))
    lan, crm = await sign_in(http, "lan"), Client(http, known.given["service"])
    known.given["access"] = lan.token
    async with lan.signed_in() as socket:
        await told_of(socket, "ready")
        answers += await customer_writes(ingress, known)
        account.heard("U")
        conversation = (await told_of(socket, "offered"))["conversation"]
        answers.append(await lan.ask(f"conversations/{conversation}/claim"))
        answers.append(await lan.ask(f"conversations/{conversation}/messages", {"text": "Dạ còn ạ"}))
    assert [each.status_code for each in answers[-2:]] == [200, 200], answers[-1].text
    delivered = "SELECT FROM delivery WHERE state = 'sent'"
    await until(owner, delivered)
    assert account.texts("U") == ["Dạ còn ạ"]
    mine = (f"conversations/{conversation}{part}" for part in ("", "/messages", "/explain"))
    chu = await sign_in(http, "chu")
    answers.append(await chu.ask("desks/main/amend/preview", CHANGE))
    answers.append(await chu.ask("desks/main/amend", CHANGE, version=answers[-1].json()["version"]))
    assert [each.status_code for each in answers[-2:]] == [200, 200], answers[-1].text
    for path in (*READ, *mine):
        answers += [await client.get(path) for client in (lan, crm, chu)]
    assert {each.status_code for each in answers} <= {200, 401, 403, 404}, [each.text for each in answers]
    answers += [await client.get("/metrics") for client in (ingress, http)]
    return {f"answer {number}": f"{each.headers}{each.text}" for number, each in enumerate(answers)}


async def customer_writes(ingress: httpx.AsyncClient, known: Secrets) -> list[httpx.Response]:
    """A webhook that somebody forged, the same signed by its app, and the platform's own question."""
    answers = []
    event = {"sender": {"id": "U"}, "recipient": {"id": "1"}, "timestamp": 1458692752478}
    entry = {"id": "1", "messaging": [{**event, "message": {"mid": "m_1", "text": TEXT}}]}
    body = orjson.dumps({"object": "page", "entry": [entry]})
    for secret in ("wrong", known.app["app_secret"]):
        signed = sign_messenger(body, secret)
        answers.append(await ingress.post("/v1/webhooks/messenger", content=body, headers=signed.headers))
    challenge = {"hub.mode": "subscribe", "hub.verify_token": known.app["verify_token"], "hub.challenge": "7"}
    answers.append(await ingress.get("/v1/webhooks/messenger", params=challenge))
    said, fchat = {"user_id": "u", "text": "a"}, f"/v1/webhooks/fchat/{known.path}"
    answers += [await ingress.post(path, json=said) for path in (fchat, f"{fchat}x")]
    assert [each.status_code for each in answers] == [403, 200, 200, 200, 403]
    return answers


async def told_of(socket: Any, event: str) -> dict[str, Any]:  # noqa: ANN401 - a socket
    """What somebody is told of the next event of this kind."""
    async with asyncio.timeout(DEADLINE_S):
        while (said := orjson.loads(await socket.recv()))["event"] != event:
            pass
    data: dict[str, Any] = said["data"]
    return data


async def only_their_tables(owner: asyncpg.Connection[Any]) -> None:
    """Each role has its rights on each table, and no other role of ours any."""
    tables = {name for (name,) in await owner.fetch(TABLES)}
    assert len(tables) > 30
    used = {each for one in WORKERS.values() for each in (*one.changes, *one.adds, *one.sees)}
    assert used - tables == set()
    for worker, rights in WORKERS.items():
        for table in tables:
            changed = table in rights.changes
            added = changed or table in rights.adds
            seen = added or table in {VERSION_TABLE, *rights.sees}
            expected = {"SELECT": seen, "INSERT": added, "UPDATE": changed, "DELETE": changed}
            expected |= dict.fromkeys(("TRUNCATE", "TRIGGER", "REFERENCES"), False)
            for privilege, has in expected.items():
                asked = (f"{ROLES}_{worker}", table, privilege)
                assert await owner.fetchval("SELECT has_table_privilege($1, $2, $3)", *asked) == has, asked
    # What only operators write, or what is a worker's to read in part.
    assert tables - used == {VERSION_TABLE}


FORBIDDEN = {
    "gateway": (
        *("SELECT access_token FROM delivery_page", "UPDATE account SET role = 'admin'"),
        *("DELETE FROM audit", "SELECT token FROM outreach"),
    ),
    "routing": ("CREATE TABLE mine ()", "SELECT * FROM account", "COPY lane TO PROGRAM 'true'"),
    "notifier": ("UPDATE message SET body = ''", "SELECT pg_read_file('postgresql.conf')"),
    "delivery": ("SELECT password_hash FROM account", "CREATE TEMPORARY TABLE mine ()"),
    "webhooks": ("DELETE FROM lane", "SET ROLE tongdai", "SELECT ensure_message_partitions()"),
    "ingress": (
        *("INSERT INTO page_registry VALUES ('messenger:9', 'x', 'y')", "SELECT * FROM pg_authid"),
        "SELECT content FROM delivery",
    ),
}


async def nothing_else_of_postgres(made: Fortress) -> None:
    """What each would do if somebody else spoke in its name."""
    for worker, statements in FORBIDDEN.items():
        connection = await connect(made.settings(worker), "tests")
        for statement in statements:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await disconnect(connection)


async def nothing_else_of_kafka(made: Fortress) -> None:
    """Each user reads and writes its own topics, groups and transactions, and no others."""
    for worker, rights in WORKERS.items():
        options = made.settings(worker).kafka.client_options()
        foreign = next(topic for topic in CATALOGUE if topic not in rights.writes).full_name(PREFIX)
        async with AIOKafkaProducer(**options) as producer:
            with pytest.raises(TopicAuthorizationFailedError):
                await producer.send_and_wait(foreign, b"{}")
        unread = next(topic for topic in CATALOGUE if topic not in rights.reads).full_name(PREFIX)
        async with AIOKafkaConsumer(**options, auto_offset_reset="earliest") as consumer:
            consumer.assign([TopicPartition(unread, 0)])
            with pytest.raises(TopicAuthorizationFailedError):
                await asyncio.wait_for(consumer.getone(), DEADLINE_S)
        consumer = AIOKafkaConsumer(**options, group_id=f"{PREFIX}.stranger")
        await consumer.start()
        consumer.assign([TopicPartition(unread, 0)])
        with pytest.raises(GroupAuthorizationFailedError):
            await asyncio.wait_for(consumer.commit({TopicPartition(unread, 0): 1}), DEADLINE_S)
        await consumer.stop()
        stranger = AIOKafkaProducer(**options, transactional_id=f"{PREFIX}.stranger.{uuid4()}")
        with pytest.raises(TransactionalIdAuthorizationFailed):
            await asyncio.wait_for(stranger.start(), DEADLINE_S)
        await stranger.stop()


async def only_to_who_is_known(made: Fortress, folder: Path) -> None:
    """With another authority, or another password, nobody is spoken to, and no password is told."""
    other = issue(folder, "stranger")
    quick = {"dependency_start_timeout_s": 5}
    for kafka, says in (
        ({"ssl_cafile": other.authority}, "cannot be reached.*TONGDAI_KAFKA_SECURITY_PROTOCOL"),
        ({"ssl_cafile": None}, "cannot be reached.*TONGDAI_KAFKA_SECURITY_PROTOCOL"),
        ({"sasl_password": canary("wrong")}, "TONGDAI_KAFKA_SASL_PASSWORD"),
    ):
        with pytest.raises(DependencyError, match=says) as refused:
            await apply_topics(made.settings("gateway", kafka=kafka, runtime=quick))
        assert "canary" not in str(refused.value)
    dsn = made.dsn("gateway")
    for wrong in (
        dsn.replace(str(made.postgres_files.authority), str(other.authority)),
        dsn.replace(made.passwords["gateway"], canary("wrong")),
        dsn.replace("127.0.0.1", "localhost"),  # which the certificate does not name
    ):
        with pytest.raises(DependencyDownError) as down:
            await connect(made.settings("gateway", postgres={"dsn": wrong}), "tests")
        assert "canary" not in str(down.value)
    dsn = made.operator.postgres.dsn.get_secret_value()
    assert await asyncio.to_thread(pending_migrations, dsn) == ()


async def tables(owner: asyncpg.Connection[Any]) -> str:
    """All that stands in them, as text."""
    names = [name for (name,) in await owner.fetch(TABLES)]
    rows = [await owner.fetchval(f"SELECT string_agg(one::text, ' ') FROM {name} AS one") for name in names]
    return "\n".join(f"{name}: {row}" for name, row in zip(names, rows, strict=True))


async def topics(made: Fortress) -> str:
    """All records, with keys and headers."""
    found = []
    async with AIOKafkaConsumer(**made.operator.kafka.client_options()) as consumer:
        for topic in CATALOGUE:
            name = topic.full_name(PREFIX)
            partitions = [TopicPartition(name, n) for n in range(topic.partitions(made.operator.kafka))]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            while any([await consumer.position(one) < end for one, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [repr((r.key, r.headers)) + (r.value or b"").decode() for r in records]
    return "\n".join(found)
