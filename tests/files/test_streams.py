"""Files that are given away: so many at once, and none without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

from workers.files import streams
from workers.files.streams import FileStream, Streams

HTTP = {"type": "http", "asgi": {"spec_version": "2.3"}}


class Client:
    """Who has asked for a file, and takes nothing of it until he `reads`."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.sent: list[Message] = []
        self.asked = asyncio.Event()

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.asked.set()
        await self.reads.wait()


def stream(of: Streams, address: str, client: Client) -> asyncio.Task[None]:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    answer = FileStream(of, address, chunks(), HTTPStatus.OK, {})
    return asyncio.create_task(answer(dict(HTTP), client.receive, client.send))


async def test_so_many_go_to_an_address_and_so_many_in_all() -> None:
    of, client = Streams(streams_max=3, of_address_max=2), Client()
    under_way = [stream(of, "a", client), stream(of, "a", client)]
    await client.asked.wait()
    with pytest.raises(HTTPException) as refused:
        await stream(of, "a", client)
    assert (refused.value.status_code, refused.value.headers) == (503, {"retry-after": "2"})
    other = Client()
    under_way.append(stream(of, "b", other))
    await other.asked.wait()
    with pytest.raises(HTTPException):
        of.check("c")
    client.reads.set()
    other.reads.set()
    await asyncio.gather(*under_way)
    of.check("a")
    assert not of._open
    assert b"".join(one.get("body", b"") for one in other.sent) == b"x"


async def test_who_takes_for_ever_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STREAM_S_MAX", 0.05)
    of, client = Streams(), Client()
    await stream(of, "a", client)
    assert not any(one["type"] == "http.response.body" and not one["more_body"] for one in client.sent)
    assert not of._open
