"""Customers' files are fetched once, from public hosts alone, within limits, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from config.attachments import AttachmentsSettings
from config.settings import Settings
from schemas.ids import conversation_id, fetched_file_id
from tests.files.test_kind import picture
from workers.channels.fetching.download import open_downloads
from workers.channels.fetching.fetcher import Fetcher
from workers.channels.fetching.progress import NotFetchedError, after
from workers.files import rows
from workers.files.files import open_files
from workers.files.refusal import FileRefusedError
from workers.local.simulator.platform.serving import serving
from workers.routing.intake import files as intake_files

HERE = (ip_network("127.0.0.0/8"),)
OWN = AttachmentsSettings(file_bytes_max=10_000, fetch_timeout_s=5, fetch_attempts_max=3, fetch_networks=HERE)
CONVERSATION = str(conversation_id("messenger:1:an"))


class Platform:
    """A channel's file server."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.statuses: dict[str, list[int]] = {}
        """What is answered before the file."""
        self.release = asyncio.Event()
        self.asgi = Starlette(routes=[Route("/{name}", self._file)])

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        if self.statuses.get(name):
            return Response(status_code=self.statuses[name].pop(0))
        if name == "held.png":
            await self.release.wait()
        if name.startswith("to:"):
            return RedirectResponse(request.query_params.get("url") or request.url)
        if name == "large":
            return StreamingResponse(_large())
        return Response(b"MZ\x90\0" + bytes(60) if name == "program" else picture("PNG"))


async def _large() -> AsyncIterator[bytes]:
    for _ in range(1_000):  # far more than is taken
        yield bytes(1_000)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Platform, str]]:
    platform = Platform()
    async with serving(platform.asgi) as url:
        yield platform, url


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("to:inside?url=http://10.1.2.3/", "not_allowed"),
        ("to:cloud?url=http://169.254.169.254/latest", "not_allowed"),
        ("to:file?url=file:///etc/passwd", "not_allowed"),
        ("to:itself", "not_allowed"),
    ],
)
async def test_no_redirect_leads_inside(server: tuple[Platform, str], path: str, reason: str) -> None:
    async with open_downloads(OWN) as downloads:
        with pytest.raises(NotFetchedError) as refused:
            async with aclosing(downloads.chunks(f"{server[1]}/{path}")) as chunks:
                assert not [chunk async for chunk in chunks]
    assert refused.value.reason == reason


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1]/", "ftp://a.example/x", "http://", "x"])
async def test_an_address_of_this_machine_or_none_at_all_is_not_asked(url: str) -> None:
    async with open_downloads(AttachmentsSettings()) as downloads:
        with pytest.raises(NotFetchedError) as refused:
            async with aclosing(downloads.chunks(url)) as chunks:
                assert not [chunk async for chunk in chunks]
    assert refused.value.reason == "not_allowed"


def test_what_may_mend_is_tried_again_each_time_later_and_not_for_ever() -> None:
    waits = [after(NotFetchedError("unreachable"), attempt, OWN, 1.0).wait_s for attempt in (1, 2, 3)]
    assert waits == [2.0, 4.0, None]
    assert after(FileRefusedError("too_slow", ""), 1, OWN, 0.0).wait_s == 1.0
    for error in (NotFetchedError("gone"), NotFetchedError("not_allowed"), FileRefusedError("too_large", "")):
        assert after(error, 1, OWN, 1.0).wait_s is None


@asynccontextmanager
async def fetching(settings: Settings, workers: int = 1) -> AsyncIterator[list[asyncio.Task[None]]]:
    files = open_files(settings)
    assert files is not None
    tasks = [asyncio.create_task(Fetcher(settings, files).run()) for _ in range(workers)]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def want(database: asyncpg.Connection[Any], *urls: str) -> list[str]:
    """Intake notes a message with these; what they are called here."""
    message = str(uuid4())
    attachments = [{"type": "image", "url": url} for url in urls]
    for _ in range(2):  # a batch may be done again
        found = intake_files.files_of("acme", CONVERSATION, message, attachments, of_channel=True)
        await intake_files.store(database, found)
    return [fetched_file_id(message, number) for number in range(len(urls))]


async def until(database: asyncpg.Connection[Any], condition: str, *arguments: object) -> None:
    async with asyncio.timeout(30):
        while not await database.fetchval(f"SELECT EXISTS (SELECT FROM file WHERE {condition})", *arguments):
            await asyncio.sleep(0.02)


@pytest.mark.servers
async def test_files_are_fetched_once_and_what_fails_is_told(
    database: str, server: tuple[Platform, str], tmp_path: Path
) -> None:
    platform, url = server
    attachments = {**json.loads(OWN.model_dump_json(exclude={"kinds"}))}
    attachments |= {
        "folder": tmp_path,
        "keys": "k" * 32,
        "fetch_retry_first_s": 0.01,
        "fetch_networks": "127.0.0.0/8",
    }
    settings = Settings.model_validate({"postgres": {"dsn": database}, "attachments": attachments})
    connection = await asyncpg.connect(database)
    platform.statuses = {"a.png": [503, 429], "gone.png": [404], "down.png": [500] * 9}
    named = ("a.png", "gone.png", "down.png", "program", "large", "held.png")
    ids = await want(connection, *(f"{url}/{name}" for name in named))
    async with fetching(settings):  # killed while it fetches
        await until(connection, "file_id = $1 AND state = 'stored'", ids[0])
        await until(connection, "file_id = $1 AND state = 'failed'", ids[2])
    platform.release.set()
    assert await connection.fetchval("SELECT state FROM file WHERE file_id = $1", ids[5]) == "wanted"
    await connection.execute("UPDATE file SET due_at = now() WHERE state = 'wanted'")  # its lease is over
    async with fetching(settings, workers=2):
        await until(connection, "file_id = $1 AND state = 'stored'", ids[5])
        await until(connection, "NOT EXISTS (SELECT FROM file WHERE state = 'wanted')")
    found = await rows.read(connection, "acme", ids)
    assert [(found[id_].state, found[id_].reason) for id_ in ids] == [
        ("stored", None),
        ("failed", "gone"),
        ("failed", "unreachable"),
        ("failed", "kind_not_taken"),
        ("failed", "too_large"),
        ("stored", None),
    ]
    assert (found[ids[0]].width, found[ids[0]].has_thumbnail) == (20, True)
    assert [platform.asked.count(name) for name in named] == [3, 1, 3, 1, 1, 2]
    await _forget_unused(connection, settings, tmp_path)
    await connection.close()


async def _forget_unused(connection: asyncpg.Connection[Any], settings: Settings, folder: Path) -> None:
    """What no message has named goes after its time, with its bytes; a quick reply keeps its own."""
    files = open_files(settings)
    assert files is not None

    async def data() -> AsyncIterator[bytes]:
        yield picture("PNG")

    unused = await files.take(connection, "acme", conversation_id("web:shop:x"), "v", data(), None)
    of_reply = await files.take(connection, "acme", None, "chu", data(), None)
    attached = json.dumps([{"type": "image", "file": of_reply.id}])
    await connection.execute(
        "INSERT INTO quick_reply VALUES ('acme', 'x', 'x', '', '', $1, NULL, NULL, NULL, 'chu')", attached
    )
    await connection.execute("UPDATE file SET created_at = now() - interval '2 days'")
    assert (folder / unused.key).exists()
    async with fetching(settings):
        await until(connection, "NOT EXISTS (SELECT FROM file WHERE file_id = $1)", unused.id)
    assert not (folder / unused.key).exists()
    assert (folder / of_reply.key).exists()
    assert await connection.fetchval("SELECT count(*) FROM file") == 7
