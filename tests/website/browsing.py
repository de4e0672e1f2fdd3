"""A real Chromium on a website of somebody else, whose pages have the widget; all real behind it."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from config.settings import Settings
from faults.proxy import Wire
from tests.gateway.ground import Client, gateway, sign_in
from tests.website.ground import SITE, site, with_site
from workers.local.ports import LOOPBACK, free_port
from workers.local.simulator.platform.serving import serving

playwright_api = pytest.importorskip("playwright.async_api")
if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PICTURES = os.environ.get("PICTURES")
"""A folder for screenshots, when they are wanted."""
SHOP = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Áo dài Hoa Sen</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy"
  content="script-src {origin}; connect-src {sockets} {origin}; style-src 'self'">
</head><body><main><h1>Áo dài Hoa Sen</h1><p>Lụa tơ tằm, may đo trong ba ngày.</p></main>
<script async src="{origin}/widget/v1/tongdai.js" data-site="{site}"{who}></script></body></html>"""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}: apt-get install chromium"),
]


class Bytes:
    """What goes over the wire is of no interest here."""

    def feed(self, _: bytes) -> list[str]:
        return []


@asynccontextmanager
async def shop_pages(wire: Wire, port: int) -> AsyncIterator[str]:
    """A website of somebody else, whose pages have the widget's tag, and forbid whatever it does not need."""

    async def page(request: Request) -> HTMLResponse:
        origin = f"http://{LOOPBACK}:{wire.port}"
        language = request.query_params.get("language", "vi")
        sockets = origin.replace("http", "ws")
        told = {name: request.query_params.get(name) for name in ("token", "user-id", "user-hash")}
        who = "".join(f' data-{name}="{value}"' for name, value in told.items() if value)
        return HTMLResponse(
            SHOP.format(language=language, origin=origin, sockets=sockets, site=SITE, who=who)
        )

    app = Starlette(routes=[Route("/", page), Route("/gio-hang", page)])
    async with serving(app, port) as url:
        yield url


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[BrowserContext]:
    """An empty Chromium. Nothing that a page says as an error is overlooked."""
    errors: list[str] = []
    async with playwright_api.async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=FLAGS, viewport={"width": 1100, "height": 760}
        )
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        try:
            yield context
        finally:
            await context.close()
    # A connection that was cut, or a file that is not taken, is told by the browser itself.
    expected = ("WebSocket connection", "ERR_CONNECTION", "a status of 415")
    assert [one for one in errors if not any(each in one for each in expected)] == []


SETTLED = """Promise.all([...document.querySelectorAll("*")]
    .flatMap((one) => one.shadowRoot?.getAnimations() ?? []).map((one) => one.finished))"""
"""What fades in has less contrast than it will have."""


async def check(page: Page, name: str) -> None:
    """Axe finds nothing once nothing moves any more; a picture is taken if one is wanted."""
    await page.evaluate(SETTLED)
    await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    assert [(one["id"], [each["html"] for each in one["nodes"]]) for one in found["violations"]] == []
    unsure = [one["id"] for one in found["incomplete"] if one["id"] != "color-contrast"]
    assert unsure == []
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"website-{name}.png")


async def write(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.get_by_role("textbox").press("Enter")


async def shows(page: Page, *texts: str) -> None:
    """The last messages are these."""
    bubbles = page.locator("li .bubble")
    await playwright_api.expect(bubbles.nth(len(texts) - 1)).to_be_visible(timeout=30_000)
    await playwright_api.expect(bubbles).to_have_text(list(texts), timeout=30_000)


async def answer(agent: Client, conversation: UUID, text: str) -> None:
    found = await agent.ask(f"conversations/{conversation}/messages", {"text": text})
    assert found.status_code == 200, found.text


class Field(NamedTuple):
    """Everything at work: a website whose pages reach the ingress over a wire that can be cut."""

    ingress: httpx.AsyncClient
    database: asyncpg.Connection[Any]
    wire: Wire
    url: str
    """Of the website."""
    context: BrowserContext
    lan: Client
    ha: Client
    """An admin of the page."""


@asynccontextmanager
async def browsing(settings: Settings, folder: Path, /, **website: object) -> AsyncIterator[Field]:
    """`website`: more of its settings."""
    port = free_port()
    own = with_site(settings, (f"http://{LOOPBACK}:{port}",), **website)
    async with AsyncExitStack() as stack:
        ingress, database = await stack.enter_async_context(site(own))
        http = await stack.enter_async_context(gateway(own))
        wire = Wire(urlsplit(str(ingress.base_url)).port or 0, Bytes, random.Random(1))
        await wire.open()
        stack.push_async_callback(wire.close)
        url = await stack.enter_async_context(shop_pages(wire, port))
        context = await stack.enter_async_context(browser(folder))
        lan, ha = await sign_in(http, "lan"), await sign_in(http, "ha")
        yield Field(ingress, database, wire, url, context, lan, ha)
