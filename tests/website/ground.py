"""A shop with a page of the website channel: visitors over real sockets, agents at the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect

from config.settings import Settings
from schemas.commands import Configure
from schemas.definitions import Page, Rule
from tests.channels.conftest import running, until_ready
from tests.gateway.ground import configure, shop
from workers.channels.delivery.handler import DeliveryHandler
from workers.notifier.handler import NotifierHandler

SITE, PAGE = "shop", "web:shop"
ORIGIN = "https://shop.example"
SECRET = "the secret of the shop's own server, long enough"
HASH_SECRET = "the secret of its hashes, which is another and long enough"
KEY = "signs who anonymous visitors are and is long enough"
WHERE = {"url": f"{ORIGIN}/ao-dai", "title": "Áo dài"}
DEADLINE_S = 90.0


def with_site(settings: Settings, origins: tuple[str, ...] = (ORIGIN,), /, **more: object) -> Settings:
    """`settings` with the site, an ingress on a free port, and more."""
    values = settings.model_dump(exclude={"ingress", "website"}, exclude_unset=True)
    site = {
        "site": SITE,
        "origins": origins,
        "secret": SECRET,
        "hash_secret": HASH_SECRET,
        "title": "Hoa Sen",
        "greeting": "Shop có thể giúp gì cho bạn?",
        "quick_replies": ("Giá bao nhiêu?", "Còn hàng không?"),
    }
    own = {"sites": (site,), "keys": KEY, **more}
    return Settings.model_validate({**values, "ingress": {"port": 0}, "website": own})


def roster() -> Configure:
    """The shop's, whose first rule is for visitors: lan has them all."""
    page = Page(id=PAGE, name="Website", admins=("ha",))
    rule = Rule(id="web", name="web", owner="ha", pages=(PAGE,), agents=("lan",))
    usual = configure()
    return usual.model_copy(update={"pages": (*usual.pages, page), "rules": (*usual.rules, rule)})


@asynccontextmanager
async def site(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, asyncpg.Connection[Any]]]:
    """Everything but the gateway at work; a client of the ingress, and the database."""
    lanes = (DeliveryHandler(settings.delivery, settings.mail, settings.phone), NotifierHandler())
    async with shop(settings, roster(), lanes) as database, running(settings) as ingress:
        await until_ready(ingress)
        yield ingress, database


class Visitor:
    """A tab of a visitor's browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.token = ""
        self.started: dict[str, Any] = {}
        self.heard: list[dict[str, Any]] = []
        """All that it was told so far."""
        self._passed = 0

    async def do(self, what: str, **said: object) -> None:
        await self.send({"do": what, **said})

    async def send(self, said: dict[str, object]) -> None:
        await self.socket.send(orjson.dumps(said).decode())

    async def say(self, text: str, id_: str | None = None) -> str:
        """Say something; return once it is taken."""
        id_ = id_ or uuid4().hex
        await self.do("say", id=id_, text=text, at_ms=int(time.time() * 1000))
        await self.until("taken", id=id_)
        return id_

    async def until(self, event: str, **fields: object) -> dict[str, Any]:
        """The next thing of this kind, with these fields, that was not asked for yet."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for number, one in enumerate(self.heard[self._passed :], self._passed):
                    if one["event"] == event and all(one[name] == value for name, value in fields.items()):
                        self._passed = number + 1 if event == "messages" else self._passed
                        return one
                self.heard.append(orjson.loads(await self.socket.recv()))

    async def message(self, text: str) -> dict[str, Any]:
        """The message with this text, once it is shown."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for shown in self.shown:
                    if shown["text"] == text:
                        return shown
                self.heard.append(orjson.loads(await self.socket.recv()))

    @property
    def shown(self) -> list[dict[str, Any]]:
        """Every message that it was sent, in order."""
        told = [one for one in self.heard if one["event"] == "messages"]
        return [*self.started.get("messages", ()), *(each for one in told for each in one["messages"])]

    async def closed(self) -> int | None:
        """With what code it was closed."""
        async with asyncio.timeout(DEADLINE_S):
            await self.socket.wait_closed()
        return self.socket.close_code


def opening(
    ingress: httpx.AsyncClient, site_: str = SITE, origin: str | None = ORIGIN, address: str | None = None
) -> connect:
    """A socket on which nothing was said; `address`: as a proxy tells it."""
    url = str(ingress.base_url).replace("http", "ws", 1).rstrip("/")
    named = {} if origin is None else {"Origin": origin}
    if address is not None:
        named["X-Forwarded-For"] = address
    return connect(f"{url}/v1/website/{site_}/socket", additional_headers=named, compression=None)


@asynccontextmanager
async def visiting(
    ingress: httpx.AsyncClient, address: str | None = None, **start: object
) -> AsyncIterator[Visitor]:
    """A tab that has said who it is; without a token it is somebody new."""
    async with opening(ingress, address=address) as socket:
        visitor = Visitor(socket)
        await visitor.do("start", **{"where": WHERE, "language": "vi", **start})
        visitor.started = await visitor.until("started")
        visitor.token = visitor.started["token"]
        yield visitor
