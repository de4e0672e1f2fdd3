"""Files in the widget, in a real Chromium on a page of another origin: `make browser`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.settings import Settings
from tests.files.test_kind import picture
from tests.gateway.test_files import attachments, keeping, send
from tests.waiting import until
from tests.website.browsing import browsing, check, playwright_api, pytestmark

__all__ = ["pytestmark"]

FORGOTTEN = """const file = { file: "0".repeat(32), type: "image", name: "váy cũ.png", url: "" };
localStorage.setItem("tongdai.shop.out.a.000000000000001.abc",
    JSON.stringify({ id: "abc", text: "", files: [file], at: 1 }));"""


def chosen(name: str, content: bytes) -> Any:  # noqa: ANN401  a type of playwright, which may be missing
    """A file that a visitor chooses; it calls itself a picture."""
    return {"name": name, "mimeType": "image/png", "buffer": content}


async def test_a_visitor_sends_files_and_sees_those_of_an_agent(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    expect = playwright_api.expect
    own = keeping(settings, tmp_path / "kept", file_bytes_max=100_000)
    async with browsing(own, tmp_path) as field:
        database, wire, lan = field.database, field.wire, field.lan
        page = await field.context.new_page()
        await page.goto(f"{field.url}?language=en")
        await page.locator(".launcher").click(timeout=30_000)
        picker = page.locator("input[type=file]")

        # What is taken is a message, shown to both sides.
        await expect(page.get_by_role("button", name="Send a file")).to_be_visible(timeout=30_000)
        image = chosen("váy đỏ.png", picture("PNG"))
        await picker.set_input_files([image])
        shown = page.locator("li.own img")
        await expect(shown).to_be_visible(timeout=30_000)
        await until(database, "SELECT FROM file WHERE message_id IS NOT NULL")
        await expect(page.locator("li.own .mark").last).to_contain_text("Sent", timeout=30_000)
        assert await shown.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 20
        await until(database, "SELECT FROM desk_conversation WHERE holder = 'lan'")
        conversation = await database.fetchval("SELECT conversation_id FROM desk_conversation")
        (found,) = await attachments(lan, conversation)
        assert (found["name"], found["kept"]["state"]) == ("váy đỏ.png", "stored")
        await check(page, "file")

        # What is not taken is told, and can be dropped.
        large = chosen("lớn.png", picture("PNG") + bytes(200_000))
        program = chosen("x.png", b"MZ\x90\0" + bytes(99))
        await picker.set_input_files([large, program])
        await expect(page.get_by_text("The file is too large: lớn.png")).to_be_visible(timeout=30_000)
        await expect(page.get_by_text("Files of this kind are not taken: x.png")).to_be_visible()
        await check(page, "file-refused")
        for name in ("lớn.png", "x.png"):
            await page.get_by_role("button", name=f"Discard the file: {name}").click()

        # Without a network it waits to be sent again.
        await wire.close()
        await expect(page.get_by_text("No connection")).to_be_visible(timeout=30_000)
        await picker.set_input_files([chosen("váy xanh.png", picture("PNG"))])
        await expect(page.get_by_text("Not sent yet: váy xanh.png")).to_be_visible(timeout=30_000)
        await picker.set_input_files([chosen("váy vàng.png", picture("PNG"))])
        await page.get_by_role("button", name="Discard the file: váy vàng.png").click()
        await wire.open()

        # It outlives the page, is in each tab, and is sent once, from whichever; what was dropped does not.
        await page.reload()
        await page.locator(".launcher").click(timeout=30_000)
        other = await field.context.new_page()
        await other.goto(f"{field.url}?language=en")
        await other.locator(".launcher").click(timeout=30_000)
        for tab in (page, other):
            await expect(tab.get_by_text("Not sent yet: váy xanh.png")).to_be_visible(timeout=30_000)
            await expect(tab.get_by_text("váy vàng.png")).to_have_count(0)
        await page.get_by_role("button", name="Send the file again: váy xanh.png").click()
        for tab in (page, other):
            await expect(tab.locator("li.own img")).to_have_count(2, timeout=30_000)
            await expect(tab.get_by_text("Not sent yet: váy xanh.png")).to_have_count(0)
        await page.reload()
        await page.locator(".launcher").click(timeout=30_000)
        await expect(page.locator("li.own img")).to_have_count(2, timeout=30_000)
        await expect(page.get_by_text("Not sent yet: váy xanh.png")).to_have_count(0)
        await other.close()

        # A message whose file is not there any more is not sent; that is told.
        await page.evaluate(FORGOTTEN)
        await page.reload()
        await page.locator(".launcher").click(timeout=30_000)
        await expect(page.get_by_text("Not sent yet: váy cũ.png")).to_be_visible(timeout=30_000)
        await page.get_by_role("button", name="Discard the file: váy cũ.png").click()
        await expect(page.get_by_text("váy cũ.png")).to_have_count(0)

        # What an agent sends is there.
        sent = (await send(lan, conversation, picture("PNG"), "mẫu.png")).json()["attachment"]
        said = {key: value for key, value in sent.items() if value is not None}
        await lan.ask(f"conversations/{conversation}/messages", {"attachments": [said]})
        theirs = page.locator("li.other img")
        await expect(theirs).to_be_visible(timeout=30_000)
        assert await theirs.evaluate("(one) => one.decode().then(() => one.naturalWidth)") == 20
