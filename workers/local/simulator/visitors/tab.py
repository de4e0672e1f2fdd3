"""A tab of a visitor's browser: one socket of the widget, on which one thing is said after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
TAKEN_TIMEOUT_S = 15.0
"""Longer than the ingress waits for Kafka."""
MESSAGE_BYTES_MAX = 1_048_576
LOST = (ConnectionClosed, OSError, TimeoutError)
"""What says that nothing is known of what was said last."""

Told = Mapping[str, Any]


class Place(NamedTuple):
    """A website with the widget on it."""

    ingress_url: str
    site: str
    origin: str
    pages: Sequence[tuple[str, str]]
    """Paths and titles."""

    @property
    def socket_url(self) -> str:
        """Where its visitors' sockets are."""
        return f"{self.ingress_url.replace('http', 'ws', 1)}/v1/website/{self.site}/socket"

    @property
    def files_url(self) -> str:
        """Where its visitors send files."""
        return f"{self.ingress_url}/v1/website/{self.site}/files"


class NotTakenError(Exception):
    """What was said was refused, for now or for good."""

    def __init__(self, code: str, retry_after_s: float | None) -> None:
        super().__init__(code)
        self.retry_after_s = retry_after_s


class Tab:
    """An open socket.

    Args:
        hear: takes whatever is told, but what answers `say`.
    """

    def __init__(self, socket: ClientConnection, hear: Callable[[Told], None]) -> None:
        self._socket = socket
        self._hear = hear
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._listening = asyncio.create_task(self._listen())
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether anything may still come."""
        return not self._listening.done()

    async def do(self, what: str, **words: object) -> None:
        """Say what nobody answers. Raises LOST."""
        await self._socket.send(orjson.dumps({"do": what, **words}).decode())

    async def say(self, what: str, id_: str, *, waits: bool = True, **words: object) -> None:
        """Say something, and return when it is taken; or at once. Raises NotTakenError, and LOST."""
        answer = self._waiting[id_] = asyncio.get_running_loop().create_future()
        try:
            await self.do(what, id=id_, **words)
            if waits:
                async with asyncio.timeout(TAKEN_TIMEOUT_S):
                    await answer
        finally:
            self._waiting.pop(id_, None)

    def tell(self, state: str, message: str) -> None:
        """Say how an answer stands here; never waits."""
        task = asyncio.create_task(self._tell(state, message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Let it end."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        await self._socket.close()

    async def _tell(self, state: str, message: str) -> None:
        with suppress(*LOST):
            await self.do("seen", state=state, messages=[message])

    async def _listen(self) -> None:
        try:
            with suppress(ConnectionClosed):
                async for text in self._socket:
                    self._take(orjson.loads(text))
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(TimeoutError("the socket has ended"))

    def _take(self, said: Told) -> None:
        answer = self._waiting.get(said.get("id") or "")
        if answer is None or answer.done():
            self._hear(said)
        elif said["event"] == "taken":
            answer.set_result(None)
        elif said["event"] == "refused":
            answer.set_exception(NotTakenError(said["code"], said["retry_after_s"]))


async def open_tab(place: Place, start: Mapping[str, Any], hear: Callable[[Told], None]) -> tuple[Tab, Told]:
    """Come, as `start` says who it is; with what is told at the beginning. Raises LOST, InvalidStatus."""
    socket = await connect(
        place.socket_url,
        additional_headers={"Origin": place.origin},
        compression=None,
        open_timeout=OPEN_TIMEOUT_S,
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=MESSAGE_BYTES_MAX,
    )
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            await socket.send(orjson.dumps({"do": "start", "language": "vi", **start}).decode())
            started: Told = orjson.loads(await socket.recv())
    except BaseException:
        await socket.close()
        raise
    return Tab(socket, hear), started
