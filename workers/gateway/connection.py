"""One client's connection: what waits to be sent to it, and how it is cut off when that is too much."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

import orjson

from workers.channels.closing import Closing
from workers.gateway.identity import Identity

TOKEN_ENDED = Closing(4401, "the token is no good any more: sign in again")
NOT_SIGNED_IN = Closing(4408, "nobody signed in in time")
SLOW = Closing(4429, "you do not read what is sent: come back with your last event id")
GONE = Closing(1001, "you are gone: come back with your last event id")
NOT_READY = Closing(1013, "not ready yet: try again later")
STOPPING = Closing(1012, "this gateway stops: come back with your last event id")
FAILED = Closing(1011, "something failed on our side: come back with your last event id")


def transient(event: str, data: Mapping[str, object]) -> str:
    """What is said to those who are here at this moment: it has no id, and nobody gets it later."""
    return orjson.dumps({"event": event, "data": data}).decode()


def _never(_: str) -> bool:
    """Send nothing at once: all of it goes one after the other."""
    return False


class Connection:
    """A connection of somebody who has signed in.

    Args:
        identity: who it is.
        until: when his token ends; none: never by itself.
        bytes_max: what may wait for him.
        cut: ends the connection at once, whatever is in its buffers.
        push: sends something at once, or returns false when the client has to be waited for.
    """

    __slots__ = (
        "_bytes_max",
        "_cut",
        "_idle",
        "_push",
        "_some",
        "_taken",
        "_waiting",
        "ahead",
        "closing",
        "held",
        "identity",
        "token",
        "until",
        "waiting_bytes",
        "warned_of",
    )

    def __init__(
        self,
        identity: Identity,
        token: str,
        until: datetime | None,
        bytes_max: int,
        cut: Callable[[Closing], None],
        push: Callable[[str], bool] = _never,
    ) -> None:
        self.identity = identity
        self.token = token
        self.until = until
        self.warned_of: datetime | None = None
        """The end of a token of which he has been told that it is near."""
        self.closing: Closing | None = None
        self.held: list[str] | None = None
        """Pushes that wait until what he missed was sent; none: he is up to date."""
        self.ahead: dict[int, int] = {}
        """Offsets by partition up to which he has seen more than this gateway."""
        self.waiting_bytes = 0
        self._waiting: deque[str] = deque()
        self._some = asyncio.Event()
        self._taken = asyncio.Event()
        self._bytes_max = bytes_max
        self._cut = cut
        self._push = push
        self._idle = False
        """Whether all that was said has been sent, and who sends it waits for more."""

    def send(self, text: str) -> None:
        """Let `text` be sent next; never waits. Who does not read is cut off."""
        if self.closing is not None or (self._idle and self._push(text)):
            return
        self._idle = False
        self.waiting_bytes += len(text)
        if self.waiting_bytes > self._bytes_max:
            self.close(SLOW)
            return
        self._waiting.append(text)
        self._some.set()

    def notify(self, text: str) -> None:
        """The same for a notification, which may have to wait for older ones."""
        if self.held is None:
            self.send(text)
            return
        self.held.append(text)
        self.waiting_bytes += len(text)
        if self.waiting_bytes > self._bytes_max:
            self.close(SLOW)

    def release(self) -> None:
        """Send what was held: he has now everything that came before."""
        held, self.held = self.held or [], None
        for text in held:
            self.waiting_bytes -= len(text)
            self.send(text)

    def close(self, closing: Closing) -> None:
        """End the connection; nothing that waits is sent any more."""
        if self.closing is None:
            self.closing = closing
            self._waiting.clear()
            self.held = None
            self._some.set()
            self._taken.set()
            self._cut(closing)

    async def next(self) -> str | None:
        """What is to be sent next; none: the connection ends."""
        while not self._waiting:
            if self.closing is not None:
                return None
            self._some.clear()
            self._idle = True
            await self._some.wait()
            self._idle = False
        text = self._waiting.popleft()
        self.waiting_bytes -= len(text)
        self._taken.set()
        return text

    async def until_room(self) -> None:
        """Wait while more than half of what may wait does: a replay goes at the client's pace.

        Not for what is held, which is sent when the replay has ended.
        """
        while self.closing is None and self._waiting and self.waiting_bytes > self._bytes_max // 2:
            self._taken.clear()
            await self._taken.wait()
