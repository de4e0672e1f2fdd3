"""Workers at the doors that are killed (SIGKILL) in the middle of their work, as real processes.

They are forked from one server of their own that has imported all before, since to start Python takes longer
than all that they do.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import aiokafka.client
import asyncpg
import httpx
import pytest

from config.settings import Settings
from faults.proxy import Lost, Trap, Wire
from faults.requests import KafkaRequests
from tests.channels.conftest import Reader, until_ready, with_ingress
from tests.channels.test_fetching import OWN, Platform, want
from tests.channels.webhooks import Signed, messenger, said
from tests.intake.conftest import register
from tests.intake.log import PAGE, WORKSPACE, Log
from tests.mail.letters import settings as mail_settings
from tests.mail.mail_server import mail_server
from tests.mail.test_way import QUICK, VAULT
from tests.mail.way import Way
from tests.waiting import until
from workers.channels.fetching.fetcher import Fetcher
from workers.channels.mail import page_rows
from workers.channels.mail.mailer import Mailer
from workers.channels.outreach.runner import Runner
from workers.channels.process import run_ingress
from workers.files.files import open_files
from workers.local.ports import free_port
from workers.local.simulator.platform.serving import serving
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch, Record

pytestmark = pytest.mark.servers

PATH = "/v1/webhooks/messenger"
DEADLINE_S = 90.0
LANES = 4
TURN_S = 0.02
forked = get_context("forkserver")


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    """What the forked ones find imported."""
    forked.set_forkserver_preload([__name__])


@asynccontextmanager
async def _child(work: Callable[..., None], *arguments: object) -> AsyncIterator[Callable[[], None]]:
    """A process that does this work, and what kills it."""
    process = forked.Process(target=work, args=arguments, daemon=True)
    await asyncio.to_thread(process.start)

    def kill() -> None:
        process.kill()
        process.join(DEADLINE_S)
        assert process.exitcode == -signal.SIGKILL

    try:
        yield kill
    finally:
        if process.is_alive():
            kill()


def _ingress(settings: Settings, wires: Mapping[int, int]) -> None:
    """An ingress that reaches its broker by a wire, wherever the broker says that it is."""
    connect = aiokafka.client.create_conn

    async def by_wire(host: str, port: int, **named: Any) -> Any:  # noqa: ANN401 - aiokafka's
        return await connect(host, wires.get(port, port), **named)

    aiokafka.client.create_conn = by_wire
    run_ingress(settings)


class Door:
    """Where platforms post; behind it one ingress after the other."""

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings = with_ingress(settings, port=free_port())
        self._wire = wire
        self.url = f"http://127.0.0.1:{self._settings.ingress.port}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[], None]]:
        """With an ingress that is ready, and what kills it."""
        wires = {self._wire.upstream: self._wire.port}
        async with _child(_ingress, self._settings, wires) as kill:
            async with httpx.AsyncClient(base_url=self.url) as client, asyncio.timeout(DEADLINE_S):
                while True:
                    with suppress(httpx.TransportError):
                        await until_ready(client)
                        break
            yield kill

    async def post(self, signed: Signed) -> int:
        """The status, or 0: the connection was lost."""
        async with httpx.AsyncClient(base_url=self.url, timeout=DEADLINE_S) as client:
            with suppress(httpx.TransportError):
                return (await client.post(PATH, content=signed.body, headers=signed.headers)).status_code
        return 0

    async def begin(self, signed: Signed) -> asyncio.StreamWriter:
        """Send a head and half of its body."""
        port = self._settings.ingress.port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        headers = "".join(f"{name}: {value}\r\n" for name, value in signed.headers.items())
        head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {len(signed.body)}\r\n\r\n"
        writer.write(head.encode() + signed.body[: len(signed.body) // 2])
        await writer.drain()
        return writer


@pytest.fixture
async def wire(bootstrap_servers: str) -> AsyncIterator[Wire]:
    """From the ingress to its broker."""
    found = Wire(int(bootstrap_servers.rpartition(":")[2]), KafkaRequests, Random(1))
    await found.open()
    yield found
    await found.close()


async def test_an_ingress_killed_at_any_step_loses_nothing_that_it_took_and_intake_keeps_each_once(
    settings: Settings, led_topics: dict[str, str], wire: Wire, read: Reader
) -> None:
    del led_topics
    door = Door(settings, wire)
    answers: dict[str, list[int]] = {}

    async def deliver(step: str) -> None:
        answers[step].append(await door.post(_of(step)))

    async with door.open() as kill:  # before the body is here
        answers["half"] = []
        writer = await door.begin(_of("half"))
        kill()
        writer.close()
    for step, lost in (("unheard", Lost.REQUEST), ("unconfirmed", Lost.REPLY)):
        async with (
            door.open() as kill
        ):  # Kafka has not heard of it; Kafka has it, and the ingress does not know
            answers[step] = []
            trap = Trap("produce", lost, quiet_s=DEADLINE_S)
            wire.set(trap)
            posting = asyncio.create_task(deliver(step))
            await asyncio.wait_for(trap.sprung.wait(), DEADLINE_S)
            kill()
            await posting
    async with door.open() as kill:  # the ingress knows it, and the platform has not looked yet
        answers["unanswered"] = []
        writer = await door.begin(_of("unanswered"))
        writer.write(_of("unanswered").body[len(_of("unanswered").body) // 2 :])
        async with asyncio.timeout(DEADLINE_S):
            while "unanswered" not in _ids(await read("inbound")):
                pass
        kill()
        writer.close()
    assert [len(told) for told in answers.values()] == [0, 1, 1, 0]
    # Where it was killed late, it had told that it gave up.
    assert {*answers["unheard"], *answers["unconfirmed"]} <= {0, httpx.codes.SERVICE_UNAVAILABLE}
    assert _ids(await read("inbound")) == Counter(unconfirmed=1, unanswered=1)
    async with door.open() as kill:
        for step in answers:
            await deliver(step)  # as a platform does with all that was not taken
        kill()  # after the last answer
    assert all(found[-1] == 200 for found in answers.values())
    records = await read("inbound")
    assert _ids(records) == Counter(half=1, unheard=1, unconfirmed=2, unanswered=2)
    assert await _transcript(settings, records) == Counter(dict.fromkeys(answers, 1))


def _of(step: str) -> Signed:
    return messenger(said(step))


def _ids(records: list[Any]) -> Counter[str]:
    return Counter(json.loads(record.value)["channel_message_id"] for record in records)


async def _transcript(settings: Settings, records: list[Any]) -> Counter[str]:
    """What intake makes of it: how often each message is in the transcript."""
    handler = IntakeHandler(LANES, silence_s=DEADLINE_S)
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    try:
        await register(connection, "messenger:1", "acme")
        batch = Batch("intake", [_record(each) for each in records], [each.timestamp for each in records])
        async with connection.transaction():
            await handler.handle(connection, batch)
        rows = await connection.fetch("SELECT channel_message_id FROM message WHERE sender = 'customer'")
    finally:
        await connection.close()
    return Counter(row["channel_message_id"] for row in rows)


def _record(found: Any) -> Record:  # noqa: ANN401 - aiokafka's
    place = "inbound", found.partition, found.offset, found.timestamp
    return Record(*place, found.key, found.value, found.headers)


def _fetcher(settings: Settings) -> None:
    """A worker that fetches customers' files."""
    files = open_files(settings)
    assert files is not None
    asyncio.run(Fetcher(settings, files).run())


async def test_a_file_whose_fetcher_was_killed_is_fetched_by_the_next_one(
    database: str, tmp_path: Path
) -> None:
    platform = Platform()
    own = json.loads(OWN.model_dump_json(exclude={"kinds"}))
    own |= {"folder": str(tmp_path), "keys": "k" * 32, "fetch_networks": "127.0.0.0/8"}
    settings = Settings.model_validate({"postgres": {"dsn": database}, "attachments": own})
    connection = await asyncpg.connect(database)
    try:
        async with serving(platform.asgi) as url:
            (id_,) = await want(connection, f"{url}/held.png")
            async with _child(_fetcher, settings) as kill, asyncio.timeout(DEADLINE_S):
                while not platform.asked:
                    await asyncio.sleep(TURN_S)
                kill()
            platform.release.set()
            assert await connection.fetchval("SELECT state FROM file WHERE file_id = $1", id_) == "wanted"
            await connection.execute("UPDATE file SET due_at = now()")  # its lease is over
            async with _child(_fetcher, settings):
                await until(connection, "SELECT FROM file WHERE file_id = $1 AND state = 'stored'", id_)
    finally:
        await connection.close()
    assert platform.asked == ["held.png"] * 2


def _mailer(settings: Settings) -> None:
    """A worker that sends e-mails out of tickets."""
    asyncio.run(Runner(settings, Mailer(settings.mail, VAULT)).run())


async def test_a_mail_whose_worker_was_killed_is_in_the_mailbox_once_whatever_the_server_had(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, silent = asyncio.Queue[str](), asyncio.Event()
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool, mail_server() as server:
        way = await _way(pool, database)
        page = page_rows.mail_of("127.0.0.1", server.port, "none", None, "cskh@shop.example", "Shop", "vi")
        await page_rows.set_page(pool, VAULT, PAGE, page)
        message = await way.reach("send_mail", ticket=1, text="báo giá", subject="báo giá")
        for step, given in (("handle_MAIL", 0), ("handle_DATA", 1)):
            with monkeypatch.context() as patch:
                patch.setattr(server, step, _unanswered(getattr(server, step), heard, silent))
                async with _child(_mailer, way.settings) as kill:
                    await asyncio.wait_for(heard.get(), DEADLINE_S)
                    kill()
            assert server.given.total() == given
            # So long after an attempt nobody is at it any more.
            await pool.execute("UPDATE outreach SET attempted_at = attempted_at - interval '1 hour'")
        async with _child(_mailer, way.settings):
            await way.until(message, "sent")
        silent.set()
    # SMTP cannot be asked what it has: a mailbox knows the second by its Message-ID.
    assert (len(server.kept), server.given.total()) == (1, 2)


def _unanswered(
    handle: Callable[..., Awaitable[str]], heard: asyncio.Queue[str], silent: asyncio.Event
) -> Callable[..., Awaitable[str]]:
    """A mail server's step that is done, and not answered."""

    async def done(*said: object) -> str:
        answer = await handle(*said)
        heard.put_nowait(answer)
        await silent.wait()
        return answer

    return done


async def _way(pool: asyncpg.Pool[Any], database: str) -> Way:
    """To a customer with an address and a ticket."""
    handler = IntakeHandler(LANES, silence_s=DEADLINE_S)

    async def run(batch: Batch) -> Batch:
        async with pool.acquire() as connection, connection.transaction():
            await handler.handle(connection, batch)
        return batch

    async with pool.acquire() as connection:
        await register(connection, PAGE, WORKSPACE)
    way = Way(pool, database, Log(), run, mail=mail_settings(**QUICK))
    way.log.say("an", "m1")
    await way.settle()
    await way.act("set_profile", email="an@example.com")
    await way.act("open_ticket", subject="Hỏi giá")
    return way
