"""A wire between one worker and one server: a TCP proxy that delays, silences, forgets, cuts connections."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from faults.requests import Requests
from workers.local.ports import LOOPBACK, free_port

CHUNK_BYTES = 65_536
CHUNKS_MAX = 256
"""So many may be on the way before the sender is made to wait, as by a full window."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: what is closed is reset."""


End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(Enum):
    """From the worker to the server, or back."""

    UP = auto()
    DOWN = auto()


class Lost(Enum):
    """What a trap takes away: the request, which the server never sees, or only its reply, or only time."""

    REQUEST = auto()
    REPLY = auto()
    TIME = auto()
    """The request arrives when the wire is healed, and so does all that the worker sends meanwhile."""


@dataclass
class Trap:
    """Waits for the next request of a name on any connection of a wire, and cuts that connection.

    Attributes:
        quiet_s: so long after it nothing at all comes back, then the connection is reset; unless only time
            is lost.
        sprung: set once the request, or the first bytes of its reply, are lost.
    """

    request: str
    lost: Lost
    quiet_s: float = 0.0
    sprung: asyncio.Event = field(default_factory=asyncio.Event)


class Wire:
    """One port through which one worker reaches one server.

    Args:
        upstream: the port at which the server takes what comes this way.
        requests: reads what the worker sends on one connection.
        chance: of the jitter.
    """

    def __init__(self, upstream: int, requests: Callable[[], Requests], chance: random.Random) -> None:
        self.port = free_port()
        self.upstream = upstream
        self.requests = requests
        self.delayed = 0
        """Chunks that were kept on their way."""
        self.held = 0
        """Chunks that met silence."""
        self.forgotten = 0
        """Chunks that nobody ever got: their connection was forgotten."""
        self.connections: set[Connection] = set()
        self._abandoned: set[Connection] = set()
        """Those that were forgotten: they end with the wire, if neither end has noticed before."""
        self._chance = chance
        self._delay_s = self._jitter_s = self._byte_s = 0.0
        self._open = {way: asyncio.Event() for way in Way}
        self._trap: Trap | None = None
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take connections."""
        self.heal()
        self._server = await asyncio.start_server(self._take, LOOPBACK, self.port)

    async def close(self) -> None:
        """Take no more, and reset those that are there, or were."""
        if self._server is not None:
            self._server.close()
        self.heal()
        self.reset()
        for connection in self._abandoned:
            connection.reset()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def delay(self, seconds: float, jitter_s: float) -> None:
        """Keep each chunk for so long, and up to `jitter_s` more; the order stays."""
        self._delay_s, self._jitter_s = seconds, jitter_s

    def throttle(self, bytes_per_s: float) -> None:
        """Carry no more on each connection, each way."""
        self._byte_s = 1 / bytes_per_s

    def silence(self, *ways: Way) -> None:
        """Hold what goes these ways until the wire is healed; then it arrives, as TCP sees to."""
        for way in ways:
            self._open[way].clear()

    def forget(self) -> int:
        """Lose all that the connections that are there still carry, as a router that was restarted does.

        Whoever sends something on one of them is told by a reset, the other end never. Returns how many.
        """
        for connection in self.connections:
            connection.forgotten = True
        self._abandoned |= self.connections
        return len(self.connections)

    def reset(self) -> int:
        """Reset every connection (RST to both ends); returns how many."""
        count = len(self.connections)
        for connection in list(self.connections):
            connection.reset()
        return count

    def set(self, trap: Trap) -> None:
        """Let the next request of the trap's name fall into it."""
        self._trap = trap

    def sprung_by(self, requests: list[str]) -> Trap | None:
        """The trap, when one of these requests springs it and is to be lost; then the trap is gone."""
        if self._trap is None or self._trap.request not in requests:
            return None
        trap, self._trap = self._trap, None
        if trap.lost is not Lost.TIME:
            return trap
        trap.sprung.set()
        self.silence(Way.UP)
        return None

    async def catches(self, trap: Trap, within_s: float) -> bool:
        """Set it, and wait whether something falls into it in time."""
        self.set(trap)
        try:
            await asyncio.wait_for(trap.sprung.wait(), within_s)
        except TimeoutError:
            self.heal()
        return trap.sprung.is_set()

    def heal(self) -> None:
        """Be a good wire again."""
        self._delay_s = self._jitter_s = self._byte_s = 0.0
        self._trap = None
        for each in self._open.values():
            each.set()

    def latency_s(self) -> float:
        """How long the next chunk is kept."""
        if not self._delay_s:
            return 0.0
        self.delayed += 1
        return self._delay_s + self._chance.uniform(0, self._jitter_s)

    async def carry(self, size: int) -> None:
        """Take the time that so many bytes take."""
        if self._byte_s:
            self.delayed += 1
            await asyncio.sleep(size * self._byte_s)

    async def pass_by(self, way: Way) -> None:
        """Wait while it is silent this way."""
        if not self._open[way].is_set():
            self.held += 1
            await self._open[way].wait()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            await self._carry((reader, writer))
        finally:
            self._carrying.discard(task)

    async def _carry(self, here: End) -> None:
        try:
            there = await asyncio.open_connection(LOOPBACK, self.upstream)
        except OSError:
            _reset(here[1])  # nobody listens there: nobody listens here
            return
        connection = Connection(self, here, there)
        self.connections.add(connection)
        try:
            await connection.carry()
        finally:
            self.connections.discard(connection)


class Connection:
    """One connection of a worker, and the one to the server that stands for it."""

    def __init__(self, wire: Wire, here: End, there: End) -> None:
        self.forgotten = False
        self.port_there: int = there[1].get_extra_info("sockname")[1]
        """The port that the server sees, in place of the worker's own."""
        self.port_here: int = here[1].get_extra_info("peername")[1]
        self._wire = wire
        self._here, self._there = here, there
        self._requests = wire.requests()
        self._sprung: Trap | None = None

    async def carry(self) -> None:
        """Carry bytes both ways until both ends have closed, or the connection is reset."""
        await asyncio.gather(
            self._carry(Way.UP, self._here[0], self._there[1]),
            self._carry(Way.DOWN, self._there[0], self._here[1]),
        )

    def reset(self) -> None:
        """Reset it at both ends."""
        _reset(self._here[1])
        _reset(self._there[1])

    async def _carry(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One way. That an end has closed is heard of after all that it had sent, or never if forgotten."""
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_MAX)
        receiving = asyncio.create_task(self._receive(reader, chunks))
        try:
            with contextlib.suppress(OSError):
                await self._deliver(way, chunks, writer)
        finally:
            receiving.cancel()
            if not self.forgotten:
                writer.close()

    async def _receive(
        self, reader: asyncio.StreamReader, chunks: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        loop, due = asyncio.get_running_loop(), 0.0
        chunk = b"begin"
        while chunk:
            try:
                chunk = await reader.read(CHUNK_BYTES)
            except OSError:
                chunk = b""
            due = max(due, loop.time() + self._wire.latency_s())
            await chunks.put((due, chunk))

    async def _deliver(
        self, way: Way, chunks: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await chunks.get()
            if (early_s := due - loop.time()) > 0:
                await asyncio.sleep(early_s)
            await self._wire.carry(len(chunk))
            await self._wire.pass_by(way)
            if not chunk:
                return
            if self._lets_through(way, chunk):
                await self._wire.pass_by(way)  # a trap may just have silenced it
                writer.write(chunk)
                await writer.drain()

    def _lets_through(self, way: Way, chunk: bytes) -> bool:
        """Whether these bytes arrive; they may be what a trap has waited for."""
        if self.forgotten:
            self._wire.forgotten += 1
            _reset(self._here[1] if way is Way.UP else self._there[1])
            return False
        if way is Way.UP and self._sprung is None:
            self._sprung = self._wire.sprung_by(self._requests.feed(chunk))
        trap = self._sprung
        if trap is None or (way is Way.UP and trap.lost is Lost.REPLY):
            return True
        if not trap.sprung.is_set():
            trap.sprung.set()
            asyncio.get_running_loop().call_later(trap.quiet_s, self.reset)
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close at once with RST, whatever is still to be sent."""
    stream: socket.socket | None = writer.get_extra_info("socket")
    if stream is not None and not writer.is_closing():
        with contextlib.suppress(OSError):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
