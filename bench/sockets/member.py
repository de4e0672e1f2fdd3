"""One agent's socket: what he asks, and what he is told and when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from bench.sockets.wire import Wire, open_wire

WS_PATH = "/api/v1/ws"
AGAIN_S = 0.2
AGAIN = frozenset({202, 429, 503})
"""It is not known what became of it, or it was not looked at: the same is sent once more."""

OnPush = Callable[[str, Mapping[str, Any]], None]
"""Takes the event and its data."""


class Told(NamedTuple):
    """What an agent was told of one call; times in seconds of the machine's monotonic clock."""

    agent: str
    key: str
    conversation: str
    sent_s: float
    told_s: float
    status: int
    code: str
    winner: str | None
    earlier_ms: int | None
    again: int
    """How often it had to be sent once more."""


class Asked(NamedTuple):
    """A call without an answer yet."""

    call: str
    conversation: str
    sent_s: float
    answered: Callable[[Told], None]
    again: int = 0


class Member:
    """An agent with a socket. Raises BenchError through `on_end` when it ends."""

    def __init__(self, name: str, token: str, on_push: OnPush, on_end: Callable[[str], None]) -> None:
        self.name = name
        self._token = token
        self._on_push = on_push
        self._on_end = on_end
        self._wire: Wire | None = None
        self._asked: dict[str, Asked] = {}
        self._ready = asyncio.Event()

    async def come(self, host: str, port: int) -> None:
        """Sign in and wait for `ready`. Raises BenchError, TimeoutError, OSError."""
        self._wire = await open_wire(host, port, WS_PATH, self._hear, self._ended)
        self._wire.send(orjson.dumps({"do": "sign_in", "token": self._token}))
        await self._ready.wait()

    def ask(self, call: str, conversation: str, key: str, answered: Callable[[Told], None]) -> None:
        """Send a call; its key, which is his alone, names the answer too."""
        self._send(key, Asked(call, conversation, time.monotonic(), answered))

    def _send(self, key: str, asked: Asked) -> None:
        self._asked[key] = asked
        if self._wire is not None:
            self._wire.send(
                f'{{"do":"call","id":"{key}","idempotency_key":"{key}","call":"{asked.call}",'
                f'"conversation":"{asked.conversation}"}}'.encode()
            )

    def _hear(self, text: bytes) -> None:
        said = orjson.loads(text)
        if "re" in said:
            self._answered(said["re"], said["status"], said["body"])
        elif said["event"] == "ready":
            self._ready.set()
        else:
            self._on_push(said["event"], said["data"])

    def _answered(self, key: str, status: int, body: Mapping[str, Any]) -> None:
        told_s, asked = time.monotonic(), self._asked.pop(key)
        if status in AGAIN:
            again = asked._replace(again=asked.again + 1)
            asyncio.get_running_loop().call_later(AGAIN_S, self._send, key, again)
            return
        code = "done" if status == 200 else str(body.get("code"))
        details = body.get("details") or {}
        asked.answered(
            Told(
                self.name,
                key,
                asked.conversation,
                asked.sent_s,
                told_s,
                status,
                code,
                details.get("winner"),
                details.get("earlier_ms"),
                asked.again,
            )
        )

    def _ended(self, why: str) -> None:
        self._on_end(f"the socket of {self.name} {why}")
