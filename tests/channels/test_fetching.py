"""Customers' files are fetched once, from public hosts alone, within limits, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

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
from tests.waiting import until
from workers.channels.fetching import fetcher as fetching_files
from workers.channels.fetching.download import open_downloads
from workers.channels.fetching.fetcher import Fetcher
from workers.channels.fetching.progress import NotFetchedError, after
from workers.files import rows
from workers.files.files import Files, open_files
from workers.files.refusal import FileRefusedError
from workers.files.storage import StorageDownError
from workers.local.simulator.platform.serving import serving
from workers.routing.intake import erasing
from workers.routing.intake import files as intake_files

CONVERSED = """
INSERT INTO conversation (workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch,
    standing, route_unanswered, session, session_open, session_customer_messages, session_agent_messages,
    last_at)
VALUES ('acme', $1, 'main', 2, 'k', 'messenger:1', 1, 0, 0, 'idle', false, 1, false, 0, 0, now())
"""
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
        ("to:nowhere?url=http://é[1]", "not_allowed"),
    ],
)
async def test_no_redirect_leads_inside(server: tuple[Platform, str], path: str, reason: str) -> None:
    async with open_downloads(OWN) as downloads:
        with pytest.raises(NotFetchedError) as refused:
            async with aclosing(downloads.chunks(f"{server[1]}/{path}")) as chunks:
                assert not [chunk async for chunk in chunks]
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:1/", "http://[::1]/", "ftp://a.example/x", "http://", "x"),
        *("//cdn.example/a.jpg", "https://éé[ép]%@", "http://[", "https://a:99999/", "http://\u200b/"),
    ],
)
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


def now_ms() -> int:
    return time.time_ns() // 1_000_000


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
        await until(connection, "SELECT FROM file WHERE file_id = $1 AND state = 'stored'", ids[0])
        await until(connection, "SELECT FROM file WHERE file_id = $1 AND state = 'failed'", ids[2])
    platform.release.set()
    assert await connection.fetchval("SELECT state FROM file WHERE file_id = $1", ids[5]) == "wanted"
    await connection.execute("UPDATE file SET due_at = now() WHERE state = 'wanted'")  # its lease is over
    async with fetching(settings, workers=2):
        await until(connection, "SELECT FROM file WHERE file_id = $1 AND state = 'stored'", ids[5])
        await until(connection, "SELECT WHERE NOT EXISTS (SELECT FROM file WHERE state = 'wanted')")
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
    await connection.execute("INSERT INTO lane (kind, id, at_ms) VALUES ('intake', 0, $1)", now_ms())
    async with fetching(settings):
        await until(connection, "SELECT WHERE NOT EXISTS (SELECT FROM file WHERE file_id = $1)", unused.id)
    assert not (folder / unused.key).exists()
    assert (folder / of_reply.key).exists()
    assert await connection.fetchval("SELECT count(*) FROM file") == 7


@asynccontextmanager
async def kept(database: str, folder: Path) -> AsyncIterator[tuple[asyncpg.Connection[Any], Settings, Files]]:
    """A database, and files of a delivery worker that are kept in a folder."""
    attachments = {"folder": folder, "keys": "k" * 32, "fetch_networks": "127.0.0.0/8"}
    settings = Settings.model_validate({"attachments": attachments})
    files = open_files(settings)
    assert files is not None
    connection = await asyncpg.connect(database)
    try:
        yield connection, settings, files
    finally:
        await connection.close()


async def erase(connection: asyncpg.Connection[Any]) -> None:
    """Intake takes away what it keeps of the customer, and another delivery worker comes by."""
    await connection.execute("UPDATE file SET message_id = NULL")
    of = ("acme", UUID(CONVERSATION), 9, datetime.now(UTC) + timedelta(minutes=1), 100)
    for statement in erasing.STATEMENTS:
        await connection.execute(statement, *of)


def left(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


async def refuse(*_: object) -> None:
    raise StorageDownError("it takes nothing away now")


@pytest.mark.servers
async def test_a_file_that_comes_while_its_customer_is_erased_goes_once_nobody_can_bring_it_any_more(
    database: str, server: tuple[Platform, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(database, tmp_path) as (connection, settings, files), open_downloads(OWN) as downloads:
        fetcher = Fetcher(settings, files)

        async def tidy() -> None:
            fetcher._erased_s = 0.0
            await fetcher._tidy(connection)

        async def come_and_erase(*given: Any, **more: Any) -> rows.Known:  # noqa: ANN401
            await erase(connection)
            await tidy()
            return await keep(*given, **more)

        async def data() -> AsyncIterator[bytes]:
            yield picture("PNG")

        keep = files.keep
        await want(connection, f"{server[1]}/a.png")
        (wanted,) = await rows.claim(connection, 1, 90)
        with monkeypatch.context() as patch:
            patch.setattr(files, "keep", come_and_erase)
            patch.setattr(files.storage, "remove", refuse)
            await fetcher._fetch(connection, downloads, wanted)
            with pytest.raises(StorageDownError):
                await files.take(connection, "acme", UUID(CONVERSATION), "v", data(), None, id_="ab" * 16)
        assert len(left(tmp_path)) == 4, "two pictures, each with a thumbnail"
        named = intake_files.files_of(
            "acme", CONVERSATION, str(uuid4()), [{"file": "ab" * 16}], of_channel=True
        )
        await intake_files.store(connection, named)
        await tidy()
        assert await connection.fetchval("SELECT count(*) FROM file WHERE reason = 'erased'") == 2
        await connection.execute("UPDATE file SET due_at = now()")
        await tidy()
        assert left(tmp_path) == []
        assert await connection.fetchval("SELECT count(*) FROM file") == 0


async def hang(*_: object) -> None:
    await asyncio.Event().wait()


@pytest.mark.servers
async def test_bytes_that_would_come_too_late_for_their_row_are_given_up(
    database: str, server: tuple[Platform, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def data() -> AsyncIterator[bytes]:
        yield picture("PNG")

    async with kept(database, tmp_path) as (connection, settings, files), open_downloads(OWN) as downloads:
        fetcher = Fetcher(settings, files)
        monkeypatch.setattr(files.storage, "keep", hang)
        monkeypatch.setattr(fetching_files, "CUT_OFF_S", fetcher._lease_s - 0.5)
        monkeypatch.setattr("workers.files.files.KEEP_S", 0.5)
        await want(connection, f"{server[1]}/a.png")
        (wanted,) = await rows.claim(connection, 1, 90)
        await fetcher._fetch(connection, downloads, wanted)
        with pytest.raises(StorageDownError):
            await files.take(connection, "acme", UUID(CONVERSATION), "v", data(), None)
        states = await connection.fetch(
            "SELECT state, failures FROM file WHERE due_at > now() ORDER BY state"
        )
        assert [tuple(row) for row in states] == [("arriving", 0), ("wanted", 0)]


@pytest.mark.servers
async def test_a_storage_that_was_down_costs_a_file_none_of_its_tries(
    database: str, server: tuple[Platform, str], tmp_path: Path
) -> None:
    server[0].statuses = {"a.png": [503]}
    async with kept(database, tmp_path) as (connection, settings, files), open_downloads(OWN) as downloads:
        await want(connection, f"{server[1]}/a.png")
        for _ in range(settings.attachments.fetch_attempts_max):
            (wanted,) = await rows.claim(connection, 1, 0)
        await Fetcher(settings, files)._fetch(connection, downloads, wanted)
        state = await connection.fetchrow("SELECT state, reason, failures, due_at > now() FROM file")
        assert tuple(state) == ("wanted", "unreachable", 1, True)


@pytest.mark.servers
async def test_a_file_whose_message_may_wait_on_the_log_is_not_forgotten(
    database: str, tmp_path: Path
) -> None:
    async with kept(database, tmp_path) as (connection, _, _):
        await connection.execute(
            "INSERT INTO file (workspace_id, file_id, conversation_id, owner, state, created_at)"
            " SELECT 'acme', 'f', $1, 'v', 'stored', now() - interval '2 days'",
            UUID(CONVERSATION),
        )

        async def forgotten(lanes: dict[int, float]) -> bool:
            await connection.execute("DELETE FROM lane")
            await connection.executemany(
                "INSERT INTO lane (kind, id, at_ms) VALUES ('intake', $1, $2)",
                [(lane, now_ms() - round(hours * 3_600_000)) for lane, hours in lanes.items()],
            )
            return bool(await rows.unused(connection, 24 * 3_600, 10))

        assert not await forgotten({}), "intake has read nothing yet"
        assert not await forgotten({1: 25, 2: 30}), "it is behind"
        assert await forgotten({1: 0, 2: 30}), "he has written nothing, and it has come far enough"
        await connection.execute(CONVERSED, UUID(CONVERSATION))
        assert not await forgotten({1: 0, 2: 30}), "his lane is behind"
        assert await forgotten({1: 30, 2: 23})
