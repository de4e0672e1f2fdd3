"""A visitor comes, is seen, leaves and returns; and who he is: in a real Chromium: `make browser`."""

from __future__ import annotations

import asyncio
import hmac
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

import jwt

from config.settings import Settings
from tests.gateway.ground import Client, until
from tests.gateway.test_sockets import say
from tests.website.browsing import (
    answer,
    browsing,
    check,
    playwright_api,
    pytestmark,
    shop_pages,
    shows,
    write,
)
from tests.website.ground import SECRET
from tests.website.test_chat import told
from workers.local.ports import free_port

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

__all__ = ["pytestmark"]

COUNTS_BEEPS = """window.beeps = 0;
window.AudioContext = class extends AudioContext { constructor() { super(); window.beeps += 1; } };"""
LOOKS = """() => {
    const copy = document.documentElement.cloneNode(true);
    for (const one of copy.querySelectorAll("body > div")) one.remove();
    const own = [...document.querySelectorAll("*")].filter((one) => !one.shadowRoot);
    const styles = own.map((one) => Object.values(getComputedStyle(one)).join());
    return [copy.outerHTML, styles, document.title, document.cookie, Object.keys(window).sort()];
}"""
"""All of the page that is not the widget's own."""


async def test_a_visitor_is_seen_leaves_and_returns(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    expect = playwright_api.expect
    async with browsing(settings, tmp_path, grace_s=2) as field:
        database, lan = field.database, field.lan
        await field.context.add_init_script(COUNTS_BEEPS)
        page = await _page_that_is_left_as_it_was(field.context, field.url)
        await page.locator(".launcher").click()
        await write(page, "Shop ơi")
        await until(database, "SELECT FROM desk_conversation WHERE holder = 'lan'")
        conversation: UUID = await database.fetchval("SELECT conversation_id FROM desk_conversation")

        # He is there, on this page of the website, then on that one; and each sees that the other types.
        async with lan.signed_in() as desk, asyncio.timeout(60):
            await say(desk, do="look", conversation=str(conversation))
            await told(desk, "visitor", lambda data: bool(data["online"]) and data["url"] == f"{field.url}/")
            await page.evaluate("history.pushState({}, '', '/gio-hang?voucher=secret')")
            await told(desk, "visitor", lambda data: data["url"] == f"{field.url}/gio-hang")
            # Longer than the widget is silent about it after it has told once.
            await page.get_by_role("textbox").press_sequentially("Mình muốn hỏi giá áo", delay=250)
            await told(desk, "visitor_typing", lambda data: data["conversation"] == str(conversation))
            await say(desk, do="typing", conversation=str(conversation))
            await expect(page.get_by_role("status")).to_have_text("Đang soạn tin…", timeout=30_000)
            await check(page, "typing")
            await expect(page.get_by_role("status")).to_have_text("", timeout=30_000)
        assert await _online(lan) == [(str(conversation), True)]

        # What comes while the window is closed sounds, until that is switched off, for the next page, too.
        await page.keyboard.press("Escape")
        await answer(lan, conversation, "Dạ em đây")
        await expect(page.locator(".badge")).to_have_text("1", timeout=30_000)
        assert await page.evaluate("beeps") == 1
        await page.locator(".launcher").click()
        sound = page.get_by_role("button", name="Âm báo tin mới")
        await expect(sound).to_have_attribute("aria-pressed", "true")
        await sound.click()
        await page.keyboard.press("Escape")
        await answer(lan, conversation, "Chị cần gì ạ?")
        await expect(page.locator(".badge")).to_have_text("1", timeout=30_000)
        assert await page.evaluate("beeps") == 1
        await page.reload()
        await page.locator(".launcher").click(timeout=30_000)
        await expect(sound).to_have_attribute("aria-pressed", "false")
        said = ["Shop ơi", "Dạ em đây", "Chị cần gì ạ?"]
        await shows(page, *said)

        # He leaves: his session ends, and its ticket is open. What is said meanwhile he finds on his return.
        await page.goto("about:blank")
        await until(database, "SELECT FROM session WHERE ended_by = 'left'")
        tickets = (await lan.get(f"conversations/{conversation}/tickets")).json()
        assert [(one["status"], one["agent"]) for one in tickets] == [("open", "lan")]
        async with asyncio.timeout(30):
            while await _online(lan) != [(str(conversation), False)]:
                await asyncio.sleep(0.1)
        await answer(lan, conversation, "Em gửi chị bảng giá nhé")
        await page.goto(field.url)
        said += ["Em gửi chị bảng giá nhé"]
        await expect(page.locator(".badge")).to_have_text("1", timeout=30_000)
        await page.locator(".launcher").click()
        await shows(page, *said)
        await until(database, "SELECT FROM notice WHERE kind = 'returned' AND agent_id = 'lan'")

        # His agent goes on with the chat; nobody else may.
        resumed = await lan.ask(f"conversations/{conversation}/chat", {"text": "Chào mừng chị quay lại"})
        assert resumed.status_code == 200, resumed.text
        refused = await field.ha.ask(f"conversations/{conversation}/chat", {"text": "Chị ơi"})
        assert (refused.status_code, refused.json()["code"]) == (409, "taken")
        said += ["Chào mừng chị quay lại"]
        await shows(page, *said)
        assert await database.fetchval("SELECT max(session) FROM session") == 2
        first = (await lan.get("conversations?channel=web&order=online_first&limit=1")).json()
        assert [(one["conversation"], one["online"]) for one in first["conversations"]] == [
            (str(conversation), True)
        ]


async def test_a_visitor_is_who_he_can_prove_and_the_window_is_where_it_may_be(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    expect = playwright_api.expect
    async with browsing(settings, tmp_path) as field:
        page = await field.context.new_page()
        await _open(page, field.url)
        await write(page, "Mình hỏi cho bạn")
        await shows(page, "Mình hỏi cho bạn")
        await expect(page.locator("li.own .mark").last).to_contain_text("Đã gửi", timeout=30_000)

        # Whoever has another token than was signed is somebody new; with his own he is known again.
        token = await page.evaluate("localStorage.getItem('tongdai.shop.token')")
        head, claims, signature = token.split(".")
        forged = f"{head}.{claims}.{signature[::-1]}"
        await page.evaluate("(token) => localStorage.setItem('tongdai.shop.token', token)", forged)
        await _open(page, None)
        await expect(page.get_by_text("Shop có thể giúp gì cho bạn?")).to_be_visible()
        await expect(page.locator("li")).to_have_count(0)
        await page.evaluate("(token) => localStorage.setItem('tongdai.shop.token', token)", token)
        await _open(page, None)
        await shows(page, "Mình hỏi cho bạn")

        # Whom the website's server has signed in has one conversation in all browsers, and no other's.
        proof = jwt.encode({"sub": "khach-42", "exp": int(time.time()) + 600, "name": "Lê An"}, SECRET)
        await _open(page, f"{field.url}?{urlencode({'token': proof})}")
        await expect(page.locator("li")).to_have_count(0)
        await write(page, "Đơn của mình đâu rồi?")
        customer = "SELECT FROM customer WHERE user_id = 'v.khach-42' AND channel_name = 'Lê An'"
        await until(field.database, customer)
        await page.evaluate("localStorage.clear()")
        digest = hmac.digest(SECRET.encode(), b"khach-42", "sha256").hex()
        signed = {"user-id": "khach-42", "user-hash": digest}
        await _open(page, f"{field.url}?{urlencode(signed)}")
        await shows(page, "Đơn của mình đâu rồi?")

        # Without a proof that is one, and on a website where it may not be, there is no window.
        ended = jwt.encode({"sub": "khach-42", "exp": int(time.time()) - 600}, SECRET)
        async with shop_pages(field.wire, free_port()) as elsewhere:
            for url in (
                f"{field.url}?{urlencode({'token': ended})}",
                f"{field.url}?{urlencode({**signed, 'user-id': 'khach-43'})}",
                elsewhere,
            ):
                async with page.expect_websocket() as opened:
                    await page.goto(url)
                async with asyncio.timeout(30):
                    while not (await opened.value).is_closed():
                        await asyncio.sleep(0.1)
                await expect(page.locator(".launcher")).to_be_hidden()


async def _page_that_is_left_as_it_was(context: BrowserContext, url: str) -> Page:
    """A page with the widget, of which nothing is otherwise than without it."""
    page = await context.new_page()
    await page.route("**/widget.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    await page.goto(url)
    without = await page.evaluate(LOOKS)
    await page.unroute("**/widget.js")
    await page.reload()
    await playwright_api.expect(page.locator(".launcher")).to_be_visible(timeout=30_000)
    assert await page.evaluate(LOOKS) == without
    assert await page.evaluate("document.querySelectorAll('button, textarea, [role]').length") == 0
    return page


async def _open(page: Page, url: str | None) -> None:
    """Go there, or load the page again, and open the window."""
    await (page.reload() if url is None else page.goto(url))
    await page.locator(".launcher").click(timeout=30_000)


async def _online(agent: Client) -> list[tuple[str, bool]]:
    """The green dots of his list."""
    found = (await agent.get("conversations?bucket=all")).json()["conversations"]
    return [(one["conversation"], one["online"]) for one in found]
