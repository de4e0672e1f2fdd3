"""The widget in a real Chromium, on a page of another origin, all real behind it: `make browser`."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from config.settings import Settings
from faults.proxy import Way, Wire
from tests.gateway.ground import Client, gateway, sign_in, until
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
<script async src="{origin}/v1/website/widget.js" data-site="{site}"></script></body></html>"""

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
        return HTMLResponse(SHOP.format(language=language, origin=origin, sockets=sockets, site=SITE))

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


async def test_a_visitor_chats_through_everything_that_goes_wrong(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    expect = playwright_api.expect
    port = free_port()
    settings = with_site(settings, (f"http://{LOOPBACK}:{port}",))
    async with AsyncExitStack() as stack:
        ingress, database = await stack.enter_async_context(site(settings))
        http = await stack.enter_async_context(gateway(settings))
        wire = Wire(urlsplit(str(ingress.base_url)).port or 0, Bytes, random.Random(1))
        await wire.open()
        stack.push_async_callback(wire.close)
        url = await stack.enter_async_context(shop_pages(wire, port))
        context = await stack.enter_async_context(browser(tmp_path))
        lan = await sign_in(http, "lan")

        page = await context.new_page()
        await page.goto(url)
        launcher = page.locator(".launcher")
        await expect(launcher).to_be_visible(timeout=30_000)
        await check(page, "closed")
        assert await page.evaluate("document.body.children.length") == 3  # main, script, the widget's root
        assert await page.evaluate("Object.keys(window).filter((one) => /tong|chat/i.test(one))") == []
        await launcher.click()
        await expect(page.get_by_role("textbox")).to_be_focused()
        await expect(page.get_by_text("Shop có thể giúp gì cho bạn?")).to_be_visible()
        await check(page, "empty")

        await page.get_by_role("button", name="Giá bao nhiêu?").click()
        await write(page, "Áo này còn size M không shop?")
        own = ["Giá bao nhiêu?", "Áo này còn size M không shop?"]
        await shows(page, *own)
        await until(database, "SELECT FROM desk_conversation WHERE holder = 'lan'")
        conversation: UUID = await database.fetchval("SELECT conversation_id FROM desk_conversation")
        await answer(lan, conversation, "Dạ còn ạ, 850k. Chị xem thêm ở https://shop.example/ao-dai nhé")
        said = [*own, "Dạ còn ạ, 850k. Chị xem thêm ở https://shop.example/ao-dai nhé"]
        await shows(page, *said)
        await until(database, "SELECT FROM delivery WHERE state = 'read'")
        position = await database.fetchval("SELECT max(position) FROM message")
        assert (
            await lan.ask(f"conversations/{conversation}/read", {"position": position})
        ).status_code == 200
        await expect(page.locator("li.own .mark").last).to_contain_text("Đã xem", timeout=30_000)
        await check(page, "chat")

        # Closed, the launcher says how much is unread; Escape closes, and the focus goes back.
        await page.keyboard.press("Escape")
        await expect(launcher).to_be_focused()
        await answer(lan, conversation, "Chị lấy màu gì ạ?")
        await expect(page.locator(".badge")).to_have_text("1", timeout=30_000)
        assert "1 tin chưa đọc" in (await launcher.get_attribute("aria-label") or "")
        await until(database, "SELECT FROM delivery WHERE state = 'delivered'")
        await launcher.click()
        await expect(page.locator(".badge")).to_be_hidden()
        said += ["Chị lấy màu gì ạ?"]

        # The network goes and comes back: what was written goes out in its order, what was said comes in.
        await wire.close()
        await expect(page.get_by_text("Mất kết nối")).to_be_visible(timeout=30_000)
        for text in ("Màu xanh", "Giao trước thứ sáu nhé"):
            await write(page, text)
        await answer(lan, conversation, "Chị còn đó không ạ?")
        await check(page, "offline")
        await wire.open()
        said += ["Chị còn đó không ạ?", "Màu xanh", "Giao trước thứ sáu nhé"]
        await shows(page, *said)

        # Nobody tells the widget that its message was taken: sent again, it counts once.
        wire.silence(Way.DOWN)
        await write(page, "Ship về Huế")
        await until(database, "SELECT FROM message WHERE body = 'Ship về Huế'")
        wire.reset()
        wire.heal()
        said += ["Ship về Huế"]
        await shows(page, *said)

        # Another tab is the same visitor, and a reload or a later visit finds everything.
        other = await context.new_page()
        await other.goto(f"{url}/gio-hang")
        await other.locator(".launcher").click(timeout=30_000)
        await shows(other, *said)
        await write(other, "Mình gửi từ giỏ hàng")
        said += ["Mình gửi từ giỏ hàng"]
        await shows(page, *said)
        await shows(other, *said)
        await other.close()
        await page.reload()
        await page.locator(".launcher").click(timeout=30_000)
        await shows(page, *said)

        # What could not be sent survives the page.
        await wire.close()
        await expect(page.get_by_text("Mất kết nối")).to_be_visible(timeout=30_000)
        await write(page, "Còn một câu nữa")
        await page.close()
        await wire.open()
        page = await context.new_page()
        await page.set_viewport_size({"width": 390, "height": 780})
        await page.goto(f"{url}?language=en")
        await page.locator(".launcher").click(timeout=30_000)
        said += ["Còn một câu nữa"]
        await shows(page, *said)
        await expect(page.get_by_role("button", name="Close chat")).to_be_visible()
        await check(page, "phone")

        rows = await database.fetch("SELECT body FROM message WHERE kind <> 'log' ORDER BY position")
        assert [row["body"] for row in rows] == said
        assert await asyncio.wait_for(_seen_online(lan, conversation), 30)
        await _is_kept_out(context, page, url, lan, conversation)

        # An agent begins a chat with somebody new: the window opens by itself, once, and takes no focus.
        await page.evaluate("localStorage.clear()")
        await page.close()
        page = await context.new_page()
        await page.goto(url)
        stranger = await asyncio.wait_for(_begin(lan, "Chị cần tìm mẫu nào ạ?"), 30)
        await shows(page, "Chị cần tìm mẫu nào ạ?")
        assert await page.evaluate("document.activeElement === document.body")
        await expect(page.locator(".badge")).to_be_hidden()
        await check(page, "begun")
        await page.locator("header button").last.click()
        await answer(lan, stranger, "Em chờ chị nhé")
        await expect(page.locator(".badge")).to_have_text("1", timeout=30_000)
        await expect(page.locator(".panel")).to_be_hidden()


async def _is_kept_out(
    context: BrowserContext, page: Page, url: str, agent: Client, conversation: UUID
) -> None:
    """His address is blocked: the open window goes, and another page has none; until he is let in again."""
    expect = playwright_api.expect
    path = f"conversations/{conversation}/address-block"
    assert (await agent.ask(path, {"reason": "other"}, method="PUT")).status_code == 200
    await expect(page.get_by_role("textbox")).to_be_hidden(timeout=30_000)
    await expect(page.locator(".launcher")).to_be_hidden()
    other = await context.new_page()
    async with other.expect_websocket() as opened:
        await other.goto(url)
    async with asyncio.timeout(30):
        while not (await opened.value).is_closed():
            await asyncio.sleep(0.1)
    await expect(other.locator(".launcher")).to_be_hidden()
    await check(other, "blocked")
    assert (await agent.ask(path, method="DELETE")).status_code == 204
    async with asyncio.timeout(30):
        while not await other.locator(".launcher").is_visible():
            await other.reload()
            await other.wait_for_timeout(1_000)
    await other.close()


async def _begin(agent: Client, text: str) -> UUID:
    """Begin a chat with the one who is there and has never written."""
    while not (found := (await agent.get("visitors")).json()):
        await asyncio.sleep(0.1)
    begun = await agent.ask(f"conversations/{found[0]['conversation']}/chat", {"text": text})
    assert begun.status_code == 200, begun.text
    return UUID(found[0]["conversation"])


async def _seen_online(agent: Client, conversation: UUID) -> bool:
    """The agent sees that the visitor is there, and on which page."""
    async with agent.signed_in() as desk:
        await desk.send(orjson.dumps({"do": "look", "conversation": str(conversation)}).decode())
        while True:
            said: dict[str, Any] = orjson.loads(await desk.recv())
            if said["event"] == "visitor" and said["data"]["title"] == "Áo dài Hoa Sen":
                return bool(said["data"]["online"])
