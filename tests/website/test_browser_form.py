"""An agent asks a visitor who he is: the form in the widget, in a real Chromium: `make browser`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from config.settings import Settings
from tests.gateway.ground import Client
from tests.waiting import until
from tests.website.browsing import browsing, check, playwright_api, pytestmark, shows, write

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

__all__ = ["pytestmark"]
QUESTION = "Cho em xin tên và số điện thoại để giao hàng ạ"
ANSWER = "Họ tên: Lê An\nSố điện thoại: 0912345678"
DECLINED = "Mình không muốn chia sẻ thông tin."


async def test_a_visitor_is_asked_who_he_is_and_answers_once(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    expect = playwright_api.expect
    async with browsing(settings, tmp_path) as field:
        database, lan = field.database, field.lan
        page = await _opened(await field.context.new_page(), field.url)
        await write(page, "Giao về Huế giúp mình")
        await until(database, "SELECT FROM desk_conversation WHERE holder = 'lan'")
        conversation: UUID = await database.fetchval("SELECT conversation_id FROM desk_conversation")
        await _ask(lan, conversation, QUESTION, "name", "phone")
        said = ["Giao về Huế giúp mình", QUESTION]
        await shows(page, *said)
        form, name, phone = _form(page), page.get_by_label("Họ tên"), page.get_by_label("Số điện thoại")
        await expect(form).to_be_visible()
        await check(page, "form")

        # By the keyboard alone; what is wrong is told at its field, and read to who hears the page.
        await page.get_by_role("textbox", name="Nhập tin nhắn…").focus()
        await _until_focused(page, form.get_by_role("button", name="Gửi thông tin"), "Shift+Tab")
        await page.keyboard.press("Enter")
        await expect(name).to_be_focused()
        for wrong in (name, phone):
            await expect(wrong).to_have_attribute("aria-invalid", "true")
            await expect(wrong).to_have_accessible_description("Hãy điền mục này.")
        await page.keyboard.type("Lê  An ")
        await page.keyboard.press("Tab")
        await page.keyboard.type("0912 345 67")
        await page.keyboard.press("Enter")
        await expect(phone).to_be_focused()
        await expect(phone).to_have_accessible_description("Số chưa đúng. Ví dụ: 0912 345 678")
        await expect(name).to_have_attribute("aria-invalid", "false")
        await expect(name).to_have_accessible_description("")
        await check(page, "form-wrong")
        assert await database.fetchval("SELECT count(*) FROM message WHERE sender = 'customer'") == 1

        # Without a network it is kept, also by a page that is closed, and goes out from the next one.
        other = await _opened(await field.context.new_page(), field.url)
        await expect(_form(other)).to_be_visible(timeout=30_000)
        await field.wire.close()
        await expect(page.get_by_text("Mất kết nối")).to_be_visible(timeout=30_000)
        await phone.fill("+84 912.345.678")
        await page.keyboard.press("Enter")
        await expect(form).to_be_hidden()
        await expect(page.get_by_role("textbox", name="Nhập tin nhắn…")).to_be_focused()
        await shows(page, *said, ANSWER)
        await page.close()
        await field.wire.open()
        page = await _opened(await field.context.new_page(), field.url)
        said += [ANSWER]
        await shows(page, *said)
        await shows(other, *said)
        for each in (page, other):
            await expect(_form(each)).to_be_hidden()
        await page.reload()
        page = await _opened(page, None)
        await shows(page, *said)
        await expect(_form(page)).to_be_hidden()
        profile = await _profile(lan, conversation)
        assert (profile["name"], profile["phone"]) == ("Lê An", "0912345678")

        # Two tabs answer while there is no network: one answer counts, and both show it.
        await _ask(lan, conversation, "Và e-mail ạ?", "email")
        await page.get_by_label("E-mail").fill("an@example")
        await page.get_by_role("button", name="Gửi thông tin").click()
        await expect(page.get_by_label("E-mail")).to_have_accessible_description(
            "Địa chỉ chưa đúng. Ví dụ: lan@example.com"
        )
        await expect(_form(other)).to_be_visible(timeout=30_000)
        await field.wire.close()
        for each in (page, other):
            await expect(each.get_by_text("Mất kết nối")).to_be_visible(timeout=30_000)
        await page.get_by_label("E-mail").fill("an@example.com")
        await page.get_by_role("button", name="Gửi thông tin").click()
        await other.get_by_role("button", name="Không chia sẻ").click()
        await field.wire.open()
        await until(database, "SELECT FROM message WHERE body LIKE 'E-mail:%' OR body = $1", DECLINED)
        last = "SELECT body FROM message WHERE kind <> 'log' ORDER BY position DESC LIMIT 1"
        said += ["Và e-mail ạ?", await database.fetchval(last)]
        for each in (page, other):
            await shows(each, *said)
            await expect(_form(each)).to_be_hidden()

        # Who would rather not says so, on a phone, in English.
        await _ask(lan, conversation, "Anh/chị cho em xin số khác được không ạ?", "phone")
        await other.close()
        await page.set_viewport_size({"width": 390, "height": 780})
        await page.goto(f"{field.url}?language=en")
        await page.locator(".launcher").click(timeout=30_000)
        await expect(_form(page, "Your details")).to_be_visible(timeout=30_000)
        await check(page, "form-phone")
        await page.get_by_role("button", name="I'd rather not").click()
        said += ["Anh/chị cho em xin số khác được không ạ?", "I'd rather not share that."]
        await shows(page, *said)
        await expect(page.locator("li.own .mark").last).to_contain_text("Sent", timeout=30_000)
        rows = await database.fetch("SELECT body FROM message WHERE kind <> 'log' ORDER BY position")
        assert [row["body"] for row in rows] == said
        assert (await _profile(lan, conversation))["phone"] == "0912345678"


def _form(page: Page, name: str = "Thông tin của bạn") -> Locator:
    return page.get_by_role("form", name=name)


async def _opened(page: Page, url: str | None) -> Page:
    """The page with its chat window open."""
    if url is not None:
        await page.goto(url)
    await page.locator(".launcher").click(timeout=30_000)
    return page


async def _until_focused(page: Page, wanted: Locator, key: str) -> None:
    async with asyncio.timeout(30):
        while not await wanted.evaluate("(one) => one.getRootNode().activeElement === one"):
            await page.keyboard.press(key)


async def _ask(agent: Client, conversation: UUID, text: str, *asks: str) -> None:
    asked = await agent.ask(f"conversations/{conversation}/messages", {"text": text, "asks": asks})
    assert asked.status_code == 200, asked.text


async def _profile(agent: Client, conversation: UUID) -> dict[str, Any]:
    found: dict[str, Any] = (await agent.get(f"conversations/{conversation}")).json()["profile"]
    return found
