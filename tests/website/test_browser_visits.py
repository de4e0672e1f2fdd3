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
from tests.files.test_kind import picture
from tests.gateway.ground import Client
from tests.gateway.test_files import keeping
from tests.gateway.test_sockets import say
from tests.waiting import until
from tests.website.browsing import (
    Field,
    answer,
    browsing,
    check,
    playwright_api,
    pytestmark,
    shop_pages,
    shows,
    write,
)
from tests.website.ground import HASH_SECRET, SECRET
from tests.website.test_browser_files import chosen
from tests.website.test_chat import told
from workers.local.ports import free_port

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

__all__ = ["pytestmark"]

FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
IDENTIFY = """(who) => {
    const { dataset } = document.querySelector("script[data-site]");
    for (const name of ["token", "userId", "userHash"]) delete dataset[name];
    Object.assign(dataset, who);
}"""
"""As a website does whose visitors sign in and out without another page."""
OF_SOMEBODY_ELSE = """localStorage.setItem("tongdai.shop.out.v.khach-42.x.000000000000001.abc",
    JSON.stringify({ id: "abc", text: "Của khách khác", at: 1 }))"""
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
        digest = hmac.digest(HASH_SECRET.encode(), b"khach-42", "sha256").hex()
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


async def test_the_window_follows_whoever_the_visitor_becomes_in_an_open_page(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    own = keeping(settings, tmp_path / "kept")
    async with browsing(own, tmp_path) as field:
        await _is_one_visitor_though_nothing_can_be_stored(field)
        page = await field.context.new_page()
        await _open(page, field.url)
        await write(page, "Shop ơi")
        await shows(page, "Shop ơi")
        await answer(field.lan, await _where(field, "Shop ơi"), "Dạ em đây")
        await shows(page, "Shop ơi", "Dạ em đây")

        # Whoever clears what the browser keeps is somebody new, and hears all that is said to him.
        await page.evaluate("localStorage.clear()")
        field.wire.reset()
        await _begins_anew(page)
        await write(page, "Mình là người khác")
        await shows(page, "Mình là người khác")
        await answer(field.lan, await _where(field, "Mình là người khác"), "Dạ chào chị")
        anonymous = ["Mình là người khác", "Dạ chào chị"]
        await shows(page, *anonymous)
        await _signs_in_and_out(field, page, anonymous)


async def _is_one_visitor_though_nothing_can_be_stored(field: Field) -> None:
    page = await field.context.new_page()
    await page.add_init_script(FULL)
    await _open(page, field.url)
    await write(page, "Áo này còn không?")
    await shows(page, "Áo này còn không?")
    field.wire.reset()
    await write(page, "Còn đó không shop?")
    await shows(page, "Áo này còn không?", "Còn đó không shop?")
    await page.locator("input[type=file]").set_input_files([chosen("váy.png", picture("PNG"))])
    await playwright_api.expect(page.locator("li.own img")).to_be_visible(timeout=30_000)
    assert await field.database.fetchval("SELECT count(*) FROM conversation") == 1
    await page.close()


async def _signs_in_and_out(field: Field, page: Page, anonymous: list[str]) -> None:
    """Without another page: what is his is there, and nothing of his is left to who comes after him."""
    expect, launcher = playwright_api.expect, page.locator(".launcher")
    proof, renewed, ended = (
        jwt.encode({"sub": "khach-42", "exp": int(time.time()) + life_s}, SECRET)
        for life_s in (600, 700, -600)
    )
    await page.evaluate(OF_SOMEBODY_ELSE)
    await page.evaluate(IDENTIFY, {"token": proof})
    await _begins_anew(page)
    await write(page, "Đơn của mình đâu rồi?")
    own = ["Đơn của mình đâu rồi?"]
    await shows(page, *own)
    await until(field.database, "SELECT FROM customer WHERE user_id = 'v.khach-42'")
    await answer(field.lan, await _where(field, "Đơn của mình đâu rồi?"), "Dạ đang giao ạ")
    own += ["Dạ đang giao ạ"]
    await page.evaluate(IDENTIFY, {"token": renewed})
    await shows(page, *own)

    await field.wire.close()
    await expect(page.get_by_text("Mất kết nối")).to_be_visible(timeout=30_000)
    await write(page, "Giao sau 5 giờ nhé")
    await page.get_by_role("textbox").fill("Mã thẻ của mình là")
    await page.evaluate(IDENTIFY, {})
    await expect(page.get_by_role("textbox")).to_have_value("")
    await field.wire.open()
    await shows(page, *anonymous)
    await page.evaluate(IDENTIFY, {"token": ended})
    await expect(launcher).to_be_hidden(timeout=30_000)
    await page.evaluate(IDENTIFY, {"token": proof})
    await expect(launcher).to_be_visible(timeout=30_000)
    await shows(page, *own, "Giao sau 5 giờ nhé")
    his = (
        "SELECT FROM message JOIN customer ON customer_id = conversation_id WHERE body = $1 AND user_id = $2"
    )
    await until(field.database, his, "Giao sau 5 giờ nhé", "v.khach-42")


async def _begins_anew(page: Page) -> None:
    await playwright_api.expect(page.locator("li")).to_have_count(0, timeout=30_000)
    await playwright_api.expect(page.get_by_text("Shop có thể giúp gì cho bạn?")).to_be_visible(
        timeout=30_000
    )


async def _where(field: Field, text: str) -> UUID:
    """The conversation in which somebody wrote it, once lan has it."""
    held = "SELECT FROM conversation JOIN message USING (conversation_id) WHERE holder = 'lan'"
    await until(field.database, f"{held} AND body = $1", text)
    found: UUID = await field.database.fetchval("SELECT conversation_id FROM message WHERE body = $1", text)
    return found


async def _page_that_is_left_as_it_was(context: BrowserContext, url: str) -> Page:
    """A page with the widget, of which nothing is otherwise than without it."""
    page = await context.new_page()
    await page.route("**/tongdai.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    await page.goto(url)
    without = await page.evaluate(LOOKS)
    await page.unroute("**/tongdai.js")
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
