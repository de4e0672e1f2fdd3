"""Agents' files on their way: by a link on our public address, or uploaded first."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from config.settings import Settings
from schemas.ids import conversation_id
from schemas.messages import MessageAttachment
from tests.delivery.ground import OA, ONE, Ground, ground
from tests.files.test_files import chunks_of
from tests.files.test_kind import archive, picture
from tests.files.test_shrinking import noise
from workers.channels.delivery.zalo_uploads import upload_of
from workers.files.file import File, key_of, smaller_of
from workers.files.files import open_files
from workers.files.kind import HEAD_BYTES, kind_of
from workers.local.simulator.platform.account import Account

PUBLIC = "https://chat.example.com"
MIB = 1_048_576


def file(media_type: str, name: str, size_bytes: int, width: int | None = 20) -> File:
    known = ("image", media_type, name, size_bytes, width, width, False, datetime.now(UTC))
    return File("acme", "ab" * 16, None, None, "stored", None, *known)


@pytest.mark.parametrize(
    ("sent", "way"),
    [
        (file("image/jpeg", "a.jpg", MIB), "image"),
        (file("image/png", "a.png", MIB + 1), "image"),
        (file("image/png", "a.png", MIB + 1, None), None),
        (file("image/gif", "a.gif", 5 * MIB), "gif"),
        (file("image/gif", "a.gif", 9, None), None),
        (file("image/webp", "a.webp", 9), "image"),
        (file("image/webp", "a.webp", 9, None), None),
        (file("image/heic", "a.heic", 9, None), None),
        (file("application/pdf", "a.pdf", 5 * MIB), "file"),
        (file("application/pdf", "a.pdf", 5 * MIB + 1), None),
        (file("application/zip", "a.DOCX", 9), "file"),
        (file("application/zip", "a.zip", 9), None),
        (file("video/mp4", "a.mp4", 9), None),
    ],
    ids=lambda value: value.name if isinstance(value, File) else str(value),
)
def test_zalo_takes_some_kinds_up_to_their_sizes(sent: File, way: str | None) -> None:
    upload = upload_of(sent)
    assert (upload.path if upload else None) == way


def with_files(own: Ground, folder: Path, public_url: str | None) -> None:
    values = own.settings.model_dump(exclude_unset=True)
    attachments = {"folder": folder, "keys": "k" * 32, "public_url": public_url}
    own.settings = Settings.model_validate({**values, "attachments": attachments})


async def kept(own: Ground, key: str, data: bytes, name: str) -> MessageAttachment:
    files = open_files(own.settings)
    assert files is not None
    one = await files.take(
        *(own.database, "acme", conversation_id(key), "agent:acme/lan", chunks_of(data), name),
        smaller=key.startswith("zalo:"),
    )
    return MessageAttachment(type=one.type or "", name=one.name, file=one.id)


@pytest.mark.servers
async def test_files_reach_each_channel_in_its_own_way(database: str, tmp_path: Path) -> None:
    async with ground(database) as own:
        with_files(own, tmp_path, PUBLIC)
        await _to_messenger(own)
        await _to_zalo(own)
        with_files(own, tmp_path, None)
        lost = await _say(own, ONE, "an", picture("PNG"), "b.png")
        async with own.delivering():
            await own.until(lost, "failed", "files_not_set")


async def _say(own: Ground, page: str, user: str, *files: Any) -> UUID:  # noqa: ANN401
    """`files`: bytes and a name, in turn."""
    named = [await kept(own, f"{page}:{user}", *files[at : at + 2]) for at in range(0, len(files), 2)]
    return await own.say(page, user, None, attachments=tuple(named))


async def _to_messenger(own: Ground) -> None:
    sent = await _say(own, ONE, "an", picture("PNG"), "váy.png")
    others = await kept(own, f"{ONE}:binh", picture("PNG"), "x.png")
    foreign = await own.say(ONE, "an", None, attachments=(others,))
    async with own.delivering():
        await own.until(sent, "sent")
        await own.until(foreign, "failed", "attachment_gone")
    (said,) = [each for each in own.one.said if each.user == "an"]
    files = open_files(own.settings)
    assert files is not None
    assert said.url is not None
    assert said.url.startswith(f"{PUBLIC}/v1/files/")
    found = files.links.read(said.url.rpartition("/")[2])
    assert found is not None
    assert (said.attachment, found[0].name, found[0].media_type) == ("image", "váy.png", "image/png")


async def _to_zalo(own: Ground) -> None:
    pdf = b"%PDF-1.7\n" + bytes(1_000)
    docx = archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")
    files = (picture("PNG"), "a.png", picture("GIF"), "b.gif", pdf, "giá.pdf", docx, "c.docx")
    sent = await _say(own, OA, "an", *files)
    converted = await _say(own, OA, "dung", picture("WEBP"), "váy.webp")
    too_much = await _say(own, OA, "an", b"%PDF-1.7\n" + bytes(5 * MIB), "lớn.pdf")
    large = await _say(own, OA, "binh", noise(800), "váy.png")
    async with own.delivering():
        await own.until(sent, "sent")
        await own.until(too_much, "failed", "unsupported")
        await own.until(large, "sent")
        await own.until(converted, "sent")
        await own.until(await _without_copy(own), "failed", "unsupported")
    account: Account = own.oa
    assert [each.attachment for each in account.said if each.user == "an"] == ["image", "gif", "file", "file"]
    copies = {data for _, data in own.zalo.uploads.given.values()} - set(files[::2])
    assert [kind_of(copy[:HEAD_BYTES]) for copy in copies] == [kind_of(picture("JPEG"))] * 2


async def _without_copy(own: Ground) -> UUID:
    """A large picture of which no smaller copy could be made."""
    one = await kept(own, f"{OA}:chi", noise(800), "a.png")
    files = open_files(own.settings)
    assert files is not None
    assert one.file is not None
    await files.storage.remove(smaller_of(key_of("acme", one.file)))
    return await own.say(OA, "chi", None, attachments=(one,))
