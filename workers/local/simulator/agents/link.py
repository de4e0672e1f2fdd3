"""An agent's WebSocket: his notices come in, his calls go out and are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from workers.local.simulator.agents.act import Act, Answer

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
PING_S = 20.0
MESSAGE_BYTES_MAX = 1_048_576
MESSAGES_WAITING_MAX = 64
"""What comes in is taken at once; more than so many, and the gateway is left to wait, and to cut it off."""
TOKEN_ENDED = 4401

OnEvent = Callable[[str, str, Mapping[str, Any]], None]
"""Takes an event's name, its id and its data."""


class LinkLostError(Exception):
    """The socket ended before the answer came: what became of the call is not known."""


class Link:
    """A socket on which somebody has signed in, to the gateway at `url`."""

    def __init__(self, url: str, socket: ClientConnection) -> None:
        self.url = url
        self._socket = socket
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    @property
    def is_signed_out(self) -> bool:
        """Whether it ended because the token is no good any more."""
        return self._socket.close_code == TOKEN_ENDED

    async def sign_in(self, token: str, last_event_id: str | None = None) -> None:
        """Say who it is; again with each new token. Raises LinkLostError."""
        await self._say({"do": "sign_in", "token": token, "last_event_id": last_event_id})

    async def step_away(self, *, away: bool) -> None:
        """Say that the person is away, or back. Raises LinkLostError."""
        await self._say({"do": "away", "away": away})

    async def call(self, act: Act, key: str, timeout_s: float) -> Answer:
        """Do `act` under this idempotency key. Raises LinkLostError, and TimeoutError."""
        answer = self._waiting[key] = asyncio.get_running_loop().create_future()
        said = {"do": "call", "id": key, "idempotency_key": key, **act._asdict()}
        try:
            await self._say(said)
            return await asyncio.wait_for(answer, timeout_s)
        finally:
            del self._waiting[key]

    async def listen(self, on_event: OnEvent) -> None:
        """Take in what comes until the socket ends; those who wait for answers get LinkLostError then."""
        try:
            async for text in self._socket:
                self._take(orjson.loads(text), on_event)
        except ConnectionClosed:
            pass
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(LinkLostError())

    def cut(self) -> None:
        """Lose the connection, without a word to the gateway."""
        self._socket.transport.abort()

    def _take(self, said: Mapping[str, Any], on_event: OnEvent) -> None:
        if "event" in said:
            if "id" in said:  # else it is of this moment alone: who looks, a token that ends soon
                on_event(said["event"], said["id"], said["data"])
        elif (waiting := self._waiting.get(said["re"])) is not None and not waiting.done():
            waiting.set_result(Answer(said["status"], said["body"]))

    async def _say(self, said: Mapping[str, Any]) -> None:
        try:
            await self._socket.send(orjson.dumps(said).decode())
        except ConnectionClosed as error:
            raise LinkLostError from error


@asynccontextmanager
async def open_link(url: str) -> AsyncIterator[Link]:
    """Yield a socket to the gateway at `url` (`http://…`). Raises OSError, or a WebSocketException."""
    address = f"{url.replace('http', 'ws', 1)}/api/v1/ws"
    async with connect(
        address,
        compression=None,
        proxy=None,
        open_timeout=OPEN_TIMEOUT_S,
        close_timeout=CLOSE_TIMEOUT_S,
        ping_interval=PING_S,
        ping_timeout=PING_S,
        max_size=MESSAGE_BYTES_MAX,
        max_queue=MESSAGES_WAITING_MAX,
    ) as socket:
        yield Link(url, socket)
