"""Agents send files and name them in answers; customers' files are seen as far as they are here."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from config.settings import Settings
from schemas.envelope import Kind
from tests.files.test_kind import archive, picture
from tests.files.test_shrinking import noise
from tests.gateway.ground import SHOP, Client, customer_writes, gateway, publish, shop, sign_in
from tests.waiting import until
from workers.runtime.handler import Connection

KEPT = "SELECT 1 FROM file WHERE workspace_id = $1 AND file_id = $2 AND message_id IS NOT NULL"
WANTED = "SELECT 1 FROM file WHERE conversation_id = $1 AND state = 'wanted'"


async def send(who: Client, conversation: UUID, data: bytes, name: str = "x.png") -> httpx.Response:
    """Send a file for a conversation."""
    return await who.http.post(
        f"/api/v1/conversations/{conversation}/files",
        headers={"authorization": f"Bearer {who.token}"},
        params={"name": name},
        content=data,
    )


async def attachments(who: Client, conversation: UUID) -> list[dict[str, Any]]:
    """What the last message with attachments shows."""
    found = (await who.get(f"conversations/{conversation}/messages")).json()["lines"]
    last: list[dict[str, Any]] = [line["attachments"] for line in found if line["attachments"]][-1]
    return last


def keeping(settings: Settings, folder: Path, **more: object) -> Settings:
    """`settings` with a folder for files of its own."""
    values = settings.model_dump(exclude_unset=True)
    return Settings.model_validate({**values, "attachments": {"folder": folder, "keys": "k" * 32, **more}})


@pytest.mark.servers
async def test_a_file_goes_from_an_agent_into_an_answer_and_is_read_by_its_link(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    own = keeping(settings, tmp_path / "kept", file_bytes_max=2_000_000, message_bytes_max=2_000_000)
    async with shop(own) as database, gateway(own) as http:
        one, other = [await customer_writes(own, topics, user) for user in ("an", "binh")]
        await until(database, "SELECT FROM conversation WHERE conversation_id = $1", other)
        lan, nga, chu = [await sign_in(http, who) for who in ("lan", "nga", "chu")]
        await _send_and_say(lan, database, one, other)
        await _refuse(lan, nga, chu, one)
        await _see_a_channels(own, topics, lan, database, one)
        await _see_his_picture(own, topics, lan, database, one)
        await _large(chu, database, other, own.attachments.folder)
        await _untaken(chu, other)


async def _send_and_say(lan: Client, database: Connection, one: UUID, other: UUID) -> None:
    data = picture("PNG")
    sent = await send(lan, one, data, "Ảnh váy.exe")
    assert sent.status_code == httpx.codes.CREATED, sent.text
    named, kept = sent.json()["attachment"], sent.json()["kept"]
    assert (named["type"], named["name"]) == ("image", "Ảnh váy.exe.png")
    assert (kept["state"], kept["media_type"], kept["width"], kept["height"]) == (
        "stored",
        "image/png",
        20,
        10,
    )
    said = {key: value for key, value in named.items() if value is not None}
    lied = {**said, "type": "audio", "name": "other", "url": "http://10.0.0.1/"}
    wrong = await lan.ask(f"conversations/{other}/messages", {"attachments": [said]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_file")
    mail = {"ticket": 1, "text": "Dạ", "attachments": [said]}
    assert (await lan.ask(f"conversations/{other}/mails", mail)).json()["code"] == "unknown_file"
    elsewhere = mail | {"attachments": [{"type": "file", "url": "http://10.0.0.1/"}]}
    assert (await lan.ask(f"conversations/{one}/mails", elsewhere)).json()["code"] == "invalid"
    unknown = {"type": "image", "file": "0" * 32}
    assert (await lan.ask(f"conversations/{one}/messages", {"attachments": [unknown]})).status_code == 422
    answer = await lan.ask(f"conversations/{one}/messages", {"text": "Mẫu đây ạ", "attachments": [lied]})
    assert answer.status_code == httpx.codes.OK, answer.text
    await until(database, KEPT, SHOP, named["file"])
    (shown,) = await attachments(lan, one)
    assert (shown["type"], shown["name"], shown["url"]) == ("image", "Ảnh váy.exe.png", None)
    await _read(lan.http, shown["kept"], data)


async def _read(http: httpx.AsyncClient, kept: dict[str, Any], data: bytes) -> None:
    whole = await http.get(kept["link"])
    assert (whole.content, whole.headers["content-type"]) == (data, "image/png")
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = await http.get(kept["link"], headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    assert part.headers["content-range"] == f"bytes 1-3/{len(data)}"
    assert (await http.get(kept["thumbnail"])).headers["content-type"] == "image/jpeg"
    gone = await http.get(kept["link"][:-3])
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")


async def _refuse(lan: Client, nga: Client, chu: Client, one: UUID) -> None:
    assert (await send(nga, one, picture("PNG"))).status_code == httpx.codes.FORBIDDEN
    program = await send(lan, one, b"MZ\x90\0" + bytes(99), "ảnh.png")
    assert (program.status_code, program.json()["code"]) == (415, "kind_not_taken")
    assert (await send(lan, one, archive("a") + bytes(2_000_000))).status_code == 413
    assert (await send(lan, one, b"")).json()["code"] == "empty"
    files = [(await send(lan, one, archive("a") + bytes(1_200_000), "a.zip")).json() for _ in range(2)]
    said = [{"type": "file", "file": each["attachment"]["file"]} for each in files]
    heavy = await lan.ask(f"conversations/{one}/messages", {"attachments": said})
    assert (heavy.status_code, heavy.json()["code"]) == (422, "too_large")
    quick = await chu.http.post(
        "/api/v1/files", headers={"authorization": f"Bearer {chu.token}"}, content=picture("GIF")
    )
    assert quick.status_code == httpx.codes.CREATED, quick.text
    named = {"type": "image", "file": quick.json()["attachment"]["file"]}
    said_by_quick_reply = await lan.ask(f"conversations/{one}/messages", {"attachments": [named]})
    assert said_by_quick_reply.status_code == httpx.codes.OK, said_by_quick_reply.text


async def _large(chu: Client, database: Connection, other: UUID, folder: Path) -> None:
    """A large picture has a smaller copy where little is taken."""
    data, copies = noise(800), []
    for page in ("messenger:1", "zalo:1"):
        await database.execute("UPDATE conversation SET page_id = $1 WHERE conversation_id = $2", page, other)
        sent = await send(chu, other, data)
        assert sent.status_code == httpx.codes.CREATED, sent.text
        copies.append(_smaller(folder))
    assert copies == [[], [sent.json()["attachment"]["file"]]]


async def _untaken(chu: Client, other: UUID) -> None:
    """What the channel does not take is refused before it is said; a mail may take it."""
    heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
    sent = await send(chu, other, heic, "IMG_1.heic")
    assert sent.status_code == httpx.codes.CREATED, sent.text
    named = {"type": "file", "file": sent.json()["attachment"]["file"]}
    said = await chu.ask(f"conversations/{other}/messages", {"attachments": [named]})
    assert (said.status_code, said.json()["code"]) == (422, "unsupported")
    assert said.json()["detail"].startswith("zalo takes JPEG")
    mail = {"ticket": 1, "text": "Dạ", "attachments": [named]}
    assert (await chu.ask(f"conversations/{other}/mails", mail)).json()["code"] != "unsupported"


def _smaller(folder: Path) -> list[str]:
    return [path.stem for path in folder.rglob("*.smaller")]


async def _see_a_channels(
    own: Settings, topics: dict[str, str], lan: Client, database: Connection, one: UUID
) -> None:
    """What a customer sent is to be fetched, once; until then its own address is there."""
    image = {"type": "image", "url": "https://cdn.example/a.jpg"}
    sticker = {"type": "sticker", "url": "https://cdn.example/b.png"}
    value = {
        "channel": "messenger",
        "account": "1",
        "user": "an",
        "channel_message_id": "m-picture",
        "attachments": [image, sticker],
    }
    record = (Kind("inbound", "message"), "messenger:1:an", value)
    await publish(own, topics["inbound"], [record, record])
    await until(database, WANTED, one)
    shown = await attachments(lan, one)
    assert [each["kept"] and each["kept"]["state"] for each in shown] == ["pending", None]
    assert [each["url"] for each in shown] == [image["url"], sticker["url"]]
    assert await database.fetchval("SELECT count(*) FROM file WHERE url IS NOT NULL") == 1


async def _see_his_picture(
    own: Settings, topics: dict[str, str], lan: Client, database: Connection, one: UUID
) -> None:
    """It is fetched as a file is; what turns out to be no picture is none."""
    said = {
        "channel": "messenger",
        "account": "1",
        "user": "an",
        "channel_message_id": "m-his",
        "text": "Chào",
    }
    value = said | {"customer_picture": "https://cdn.example/an.jpg"}
    await publish(own, topics["inbound"], [(Kind("inbound", "message"), "messenger:1:an", value)])
    await until(database, "SELECT FROM file WHERE message_id = $1", one)
    assert (await _picture(lan, one))["state"] == "pending"
    stored = "UPDATE file SET state = 'stored', type = $2, media_type = 'image/jpeg' WHERE message_id = $1"
    await database.execute(stored, one, "image")
    assert (await _picture(lan, one))["link"].startswith("/api/v1/files/")
    await database.execute(stored, one, "file")
    assert await _picture(lan, one) is None


async def _picture(who: Client, conversation: UUID) -> Any:  # noqa: ANN401 - JSON
    profile = (await who.get(f"conversations/{conversation}")).json()["profile"]
    assert profile["picture"] == "https://cdn.example/an.jpg"
    return profile["picture_kept"]
