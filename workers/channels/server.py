"""An HTTP server that stops gracefully on SIGTERM and SIGINT, or when it is told to."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn

from config.errors import ConfigurationError
from config.logging import get_logger
from config.problem import variable

BACKLOG = 4_096
"""Connections that wait in the kernel, if it allows so many (net.core.somaxconn). Who finds no room there is
not told: he tries again after one second, three, seven."""
TAKEN_AT_ONCE = 64
"""Connections each time round the event loop. uvloop takes one of a listening socket, so that a busy loop has
new ones wait in the kernel for tens of seconds; so each socket is listened on by so many copies."""

GRACE_S = 8
"""For requests that are under way at the end: at the ingress a body may take 5 s to arrive, its records 1.5 s
to be confirmed."""
KEEP_ALIVE_S = 65
"""Longer than load balancers keep theirs, so that they do not meet a closing connection."""
PING_S = 20.0

Fail = Callable[[BaseException], None]
"""Ends the server, which then raises this."""

_log = get_logger(__name__)


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


async def serve_app(
    name: str,
    configured: Callable[[Fail], uvicorn.Config],
    listener: socket.socket,
    stop: asyncio.Event | None = None,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serve what `configured` makes until SIGTERM or SIGINT, or until `stop` is set when it is given.

    `on_listening` gets the base URL. Raises what `configured` raises, and what its app fails with.
    """
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    with listener:
        server = StoppableServer(configured(fail), stop)
        url = url_of(listener)
        _log.info(f"{name}_listening", url=url)
        if on_listening is not None:
            on_listening(url)
        await server.serve(sockets=[listener])
    _log.info(f"{name}_stopped")
    if failures:
        raise failures[0]


def configuration(
    app: Any,  # noqa: ANN401  an ASGI app
    proxies: Sequence[object],
    *,
    concurrency_max: int,
    **own: Any,  # noqa: ANN401  as uvicorn has them
) -> uvicorn.Config:
    """How every server of ours serves; `proxies` are believed who a request is from."""
    return uvicorn.Config(
        app,
        ws_per_message_deflate=False,  # 300 kB for each socket
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        lifespan="on",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=list(map(str, proxies)),
        limit_concurrency=concurrency_max,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        **own,
    )


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
