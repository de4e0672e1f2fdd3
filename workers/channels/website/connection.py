"""One tab of a visitor: what waits to be sent to it, and how it is cut off when that is too much."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from uuid import UUID

import orjson

from schemas.ids import conversation_id
from workers.channels.closing import Closing
from workers.channels.network import Network
from workers.channels.website.records import Guest
from workers.channels.website.said import Where
from workers.channels.website.transcript import Line

NOT_VERIFIED = Closing(4401, "the proof of who the visitor is was not taken")
UNKNOWN_PAGE = Closing(4404, "no workspace has this page")
NOT_STARTED = Closing(4408, "nothing was said in time")
BLOCKED = Closing(4403, "this address is kept out")
NOT_READY = Closing(1013, "not ready: try again later")
CLOSE_S = 1.0
"""So long a socket may take to say that it is closed, before it is cut off."""


class Tab:
    """A connection of a visitor.

    Args:
        workspace: whose page it is.
        guest: who it is.
        position: of the last line that the widget has.
        bytes_max: what may wait for it.
        cut: ends the connection at once, whatever is in its buffers.
    """

    def __init__(
        self, workspace: str, guest: Guest, position: int, bytes_max: int, cut: Callable[[], None]
    ) -> None:
        self.workspace = workspace
        self.guest = guest
        self.conversation: UUID = conversation_id(guest.key)
        self.position = position
        self.where: Where | None = None
        self.is_known = position > 0
        """Whether he has ever written: else there is no conversation that an agent could look at."""
        self.is_blocked = False
        """Whether its customer is kept out: he may write, and no agent hears of him."""
        self.address: Network | None = None
        """Where it comes from; none: from no address, as a Unix socket's."""
        self.closing: Closing | None = None
        """Why it is to be closed, when it is."""
        self._waiting: deque[str] = deque()
        self._waiting_bytes = 0
        self._bytes_max = bytes_max
        self._some = asyncio.Event()
        self._cut = cut

    def send(self, event: str, /, **data: object) -> None:
        """Let something be sent next; never waits. Who does not read is cut off, and comes back."""
        text = orjson.dumps({"event": event, **data}).decode()
        self._waiting_bytes += len(text)
        if self._waiting_bytes > self._bytes_max:
            self._waiting.clear()
            self._cut()
            return
        self._waiting.append(text)
        self._some.set()

    def tell(self, line: Line) -> Mapping[str, object] | None:
        """What is to be sent of a line: nothing of one that the widget has, or that is no affair of his."""
        if line.position <= self.position:
            return None
        self.position = line.position
        return line.shown

    def close(self, why: Closing) -> None:
        """Let it be closed, with nothing more sent; at once when it does not even take that soon."""
        self.closing = why
        self._some.set()
        asyncio.get_running_loop().call_later(CLOSE_S, self._cut)

    async def next(self) -> str | None:
        """What is to be sent next; none: it is to be closed."""
        while not self._waiting and not self.closing:
            self._some.clear()
            await self._some.wait()
        if self.closing:
            return None
        text = self._waiting.popleft()
        self._waiting_bytes -= len(text)
        return text
