"""A delivery worker's parts before a real Postgres, and both platforms played over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from pydantic import BaseModel

from config.settings import Settings
from schemas import envelope
from schemas.catalogue import RECORDS
from schemas.envelope import Kind
from schemas.ids import channel_of, conversation_id
from schemas.outbound import Echoed, EchoTimer, Send
from schemas.receipts import Arrival, ArrivalState, Delivery, PageStands
from tests.channels.webhooks import APPS
from tests.waiting import eventually
from workers.channels.delivery import connecting, news, page_news, unanswered
from workers.channels.delivery.connecting import Tokens
from workers.channels.delivery.dispatcher import Dispatcher
from workers.channels.delivery.handler import DeliveryHandler
from workers.channels.delivery.vault import Vault
from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.messenger_platform import MessengerPlatform
from workers.local.simulator.platform.serving import serving
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.platform.zalo_platform import ZaloPlatform
from workers.runtime.batch import Batch, Record

DEADLINE_S = 90.0
KEY = "a key of the tests for the tokens of pages"
ONE, TWO, OA = "messenger:100", "messenger:200", "zalo:300"
QUICK: dict[str, Any] = {
    "retry_first_s": 0.05,
    "retry_last_s": 0.4,
    "pause_retry_s": 3_600,
    "request_timeout_s": 5.0,
    "echo_wait_s": 0.5,
    "attempts_max": 4,
}


class Ground:
    """One test's database, pages and platforms."""

    def __init__(self, settings: Settings, database: asyncpg.Pool) -> None:
        ingress = settings.ingress
        self.one, self.two = (Account(page.partition(":")[2], f"token of {page}") for page in (ONE, TWO))
        self.oa = Account("300", "token of the oa")
        self.facebook = MessengerPlatform(
            ingress.messenger_apps[0], [self.one, self.two], Teller(None), human_agent=True
        )
        self.zalo = ZaloPlatform(
            ingress.zalo_apps[0], [self.oa], Teller(None), refresh_tokens={"300": "refresh 1"}
        )
        self.settings = settings
        self.database = database
        self.vault = Vault([KEY])
        self._offsets = 0
        self._positions: dict[str, int] = {}

    async def connect(self, page: str, account: Account, **more: Any) -> None:  # noqa: ANN401 - of Tokens
        """Give the page its token."""
        if channel_of(page) == "zalo":
            more = {"app": self.settings.ingress.zalo_apps[0].app_id, **more}
        await connecting.connect_page(self.database, self.vault, page, Tokens(account.token, **more))

    async def handle(self, *values: BaseModel) -> None:
        """The lane stores what its topics say."""
        handler = DeliveryHandler(self.settings.delivery, self.settings.mail, self.settings.phone)
        records = [self._record(value) for value in values]
        batch = Batch("delivery", records, [record.timestamp_ms for record in records])
        async with self.database.acquire() as connection, connection.transaction():
            await handler.handle(connection, batch)
        assert batch.rejected == 0

    async def say(self, page: str, user: str, text: str | None, **fields: Any) -> UUID:  # noqa: ANN401 - of Send
        """An agent answers a customer who has just written; returns the message's id."""
        send = self.send(page, user, text, **fields)
        await self.handle(send)
        return send.message

    def send(self, page: str, user: str, text: str | None, *, silent_s: float = 5.0, **fields: Any) -> Send:  # noqa: ANN401
        """The same as a record; for the platforms the customer has written as long ago."""
        key = f"{page}:{user}"
        self._positions[key] = self._positions.get(key, 0) + 1
        account = {ONE: self.one, TWO: self.two, OA: self.oa}.get(page)
        if account is not None and user not in account.heard_at_s:
            account.heard(user, silent_s)
        now = datetime.now(UTC)
        values: dict[str, Any] = {
            "workspace": "acme",
            "desk": "main",
            "conversation": conversation_id(key),
            "key": key,
            "page": page,
            "channel": channel_of(page),
            "message": uuid4(),
            "position": self._positions[key],
            "sender": "agent:acme/lan",
            "text": text,
            "last_customer_at": now - timedelta(seconds=silent_s),
            "at": now,
        }
        return Send(**{**values, **fields})

    def echo(self, send_key: str, message: UUID, part: int, id_: str) -> Echoed:
        """The channel shows a part of a message."""
        page = send_key.rsplit(":", 1)[0]
        return Echoed(
            workspace="acme",
            desk="main",
            conversation=conversation_id(send_key),
            key=send_key,
            page=page,
            message=message,
            part=part,
            channel_message_id=id_,
            at=datetime.now(UTC),
        )

    def arrival(self, page: str, user: str, state: ArrivalState, **fields: Any) -> Arrival:  # noqa: ANN401
        """The channel says what has arrived."""
        account = page.partition(":")[2]
        return Arrival(channel=channel_of(page), account=account, user=user, state=state, **fields)

    async def row(self, message: UUID) -> Any:  # noqa: ANN401 - a row
        """How a message stands."""
        return await self.database.fetchrow("SELECT * FROM delivery WHERE message_id = $1", message)

    async def until(self, message: UUID, state: str, reason: str | None = None) -> Any:  # noqa: ANN401 - a row
        """Wait until a message stands so."""

        async def stands() -> bool:
            row = await self.row(message)
            return (row["state"], row["reason"]) == (state, reason) and not (
                state == "unknown" and row["open"]
            )

        await eventually(stands, f"the message is {state} ({reason})")
        return await self.row(message)

    async def page(self, page: str) -> Any:  # noqa: ANN401 - a row
        """How a page stands."""
        return await self.database.fetchrow("SELECT * FROM delivery_page WHERE page_id = $1", page)

    async def told(self) -> list[Delivery]:
        """What receipts is told now."""
        due = await news.untold(self.database, range(64), 1_000)
        assert {(timer.topic, timer.kind) for timer in due} <= {("receipts", Kind("receipts", "delivery"))}
        return [Delivery.model_validate_json(timer.value) for timer in due]

    async def page_news(self) -> list[PageStands]:
        """What receipts is told of pages now."""
        due = await page_news.untold(self.database, range(64), 1_000)
        assert {(timer.topic, timer.kind) for timer in due} <= {("receipts", page_news.PAGE_STANDS)}
        told = [PageStands.model_validate_json(timer.value) for timer in due]
        await self.handle(*told)  # the lane reads its own word, and takes no notice
        return told

    def dispatcher(self, **changed: object) -> Dispatcher:
        """A worker's dispatcher, from now on with other settings."""
        delivery = self.settings.delivery.model_copy(update=changed)
        self.settings = self.settings.model_copy(update={"delivery": delivery})
        return Dispatcher(self.settings, self.vault)

    @asynccontextmanager
    async def delivering(self, workers: int = 1, **changed: object) -> AsyncIterator[None]:
        """Dispatchers at work."""
        tasks = [asyncio.create_task(self.dispatcher(**changed).run()) for _ in range(workers)]
        tasks.append(asyncio.create_task(self._time_passes()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(result) for result in results} == {asyncio.CancelledError}, results

    async def _time_passes(self) -> None:
        """The lane proposes its timers, and reads them back."""
        while True:
            for timer in await unanswered.due(self.database, range(64), 100):
                await self.handle(EchoTimer.model_validate_json(timer.value))
            await asyncio.sleep(0.05)

    def _record(self, value: BaseModel) -> Any:  # noqa: ANN401 - a row
        kind = next(kind for kind, model in RECORDS.items() if model is type(value))
        key = value.key.encode()  # type: ignore[attr-defined]
        headers = envelope.headers(kind, id_=uuid4(), source="tests", subject=key.decode(), time="")
        self._offsets += 1
        body = orjson.dumps(value.model_dump(mode="json"))
        return Record(kind.topic, 3, self._offsets, time.time_ns() // 1_000_000, key, body, headers)


@asynccontextmanager
async def ground(dsn: str, **delivery: object) -> AsyncIterator[Ground]:
    """Everything, with the three pages registered and connected."""
    settings = Settings.model_validate({"postgres": {"dsn": dsn}, "ingress": APPS})
    async with AsyncExitStack() as stack:
        database = await asyncpg.create_pool(dsn, min_size=1, max_size=4)
        stack.callback(database.terminate)
        found = Ground(settings, database)
        facebook = await stack.enter_async_context(serving(found.facebook.asgi))
        zalo = await stack.enter_async_context(serving(found.zalo.asgi))
        urls = {"messenger_url": f"{facebook}/v26.0", "zalo_url": zalo, "zalo_oauth_url": zalo}
        values = {**settings.model_dump(exclude_unset=True), "delivery": {**QUICK, **urls, **delivery}}
        found.settings = Settings.model_validate(values)
        await database.executemany(
            "INSERT INTO page_registry (page_id, workspace_id, desk_id) VALUES ($1, 'acme', 'main')",
            [(page,) for page in (ONE, TWO, OA)],
        )
        await found.connect(ONE, found.one)
        await found.connect(TWO, found.two)
        await found.connect(OA, found.oa)
        yield found
