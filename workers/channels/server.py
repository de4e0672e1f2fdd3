"""An HTTP server that stops gracefully on SIGTERM and SIGINT, or when it is told to."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from config.errors import ConfigurationError
from config.problem import variable

BACKLOG = 4_096
"""Connections that wait in the kernel, if it allows so many (net.core.somaxconn). Who finds no room there is
not told: he tries again after one second, three, seven."""
TAKEN_AT_ONCE = 64
"""Connections each time round the event loop. uvloop takes one of a listening socket, so that a busy loop has
new ones wait in the kernel for tens of seconds; so each socket is listened on by so many copies."""


class StoppableServer(uvicorn.Server):
    """Stops on a signal, or on `stop`, and returns; uvicorn's own would raise the signal once more."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event | None) -> None:
        super().__init__(config)
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on these sockets, whose copies are closed with the server."""
        await super().startup([copy for each in sockets or () for copy in _copies(each)])

    async def on_tick(self, counter: int) -> bool:
        asked = self._stop is not None and self._stop.is_set()
        return await super().on_tick(counter) or asked

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if self._stop is not None:
            yield
            return
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


def _copies(listener: socket.socket) -> list[socket.socket]:
    return [listener, *(listener.dup() for _ in range(TAKEN_AT_ONCE - 1))]


def listen(section: str, host: str, port: int) -> socket.socket:
    """A socket on which connections wait from now on, for the worker whose settings are `section`.

    Raises ConfigurationError when the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"The {section} cannot listen on {host} port {port}: {error.strerror or error}. "
            f"Set {variable(section, 'host')} and {variable(section, 'port')} to an address of this machine "
            "that is free."
        ) from error


def url_of(listener: socket.socket) -> str:
    """Where it is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
