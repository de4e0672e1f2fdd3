"""The gateway as a process: HTTP and WebSocket until SIGTERM or SIGINT; TLS ends at a proxy before it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn
import uvloop
from fastapi import FastAPI

from config.errors import TongdaiError
from config.logging import get_logger
from config.settings import Settings
from workers.channels.server import StoppableServer, listen, url_of
from workers.gateway.app import create_app
from workers.gateway.cutting import CuttableHttp, CuttableSocket
from workers.gateway.open_files import allow_sockets
from workers.migrations import lacking_migrations
from workers.runtime.garbage import collect_seldom
from workers.runtime.postgres import connect, disconnect

GRACE_S = 8
REQUESTS_MAX = 2_000
"""Beside the sockets."""
KEEP_ALIVE_S = 65
PING_S = 20.0

_log = get_logger(__name__)


async def serve(
    settings: Settings,
    on_listening: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until `stop` is set when it is given.

    `on_listening` gets the base URL. Raises ConfigurationError (address, signing key), DependencyDownError
    when Postgres does not answer, TongdaiError when it lacks migrations.
    """
    await _check_database(settings)
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    server = StoppableServer(_configuration(create_app(settings, fail), settings), stop)
    listener = listen("gateway", settings.gateway.host, settings.gateway.port)
    await _serve(server, listener, on_listening)
    if failures:
        raise failures[0]


def run_gateway(settings: Settings) -> None:
    """Run the gateway in this process. Raises as `serve` does."""
    allow_sockets(settings.gateway.sockets_max)
    collect_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


async def _serve(
    server: uvicorn.Server, listener: socket.socket, on_listening: Callable[[str], None] | None
) -> None:
    url = url_of(listener)
    _log.info("gateway_listening", url=url)
    if on_listening is not None:
        on_listening(url)
    await server.serve(sockets=[listener])
    _log.info("gateway_stopped")


async def _check_database(settings: Settings) -> None:
    connection = await connect(settings, "tongdai gateway")
    try:
        lacking = await lacking_migrations(connection)
    finally:
        await disconnect(connection)
    if lacking:
        raise TongdaiError(f"the database lacks the migrations {', '.join(lacking)}; run tongdai migrate")


def _configuration(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=CuttableHttp,
        ws=CuttableSocket,
        ws_max_size=settings.gateway.message_bytes_max,
        ws_per_message_deflate=False,  # 300 kB for each socket
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=[str(each) for each in settings.gateway.proxies],
        limit_concurrency=settings.gateway.sockets_max + REQUESTS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
