"""The widget in a real Chromium, on a page of another origin, all real behind it: `make browser`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from config.settings import Settings
from faults.proxy import Way
from tests.gateway.ground import Client
from tests.waiting import until
from tests.website.browsing import answer, browsing, check, playwright_api, pytestmark, shows, write

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

__all__ = ["pytestmark"]


async def test_a_visitor_chats_through_everything_that_goes_wrong(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    expect = playwright_api.expect
    async with browsing(settings, tmp_path) as field:
        database, wire, url, context, lan = field.database, field.wire, field.url, field.context, field.lan
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
