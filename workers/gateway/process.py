"""The gateway as a process: HTTP and WebSocket until SIGTERM or SIGINT; TLS ends at a proxy before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uvicorn
import uvloop
from fastapi import FastAPI

from config.settings import Settings
from workers.channels.server import Fail, configuration, listen, serve_app
from workers.gateway.app import create_app
from workers.gateway.cutting import CuttableHttp, CuttableSocket
from workers.gateway.open_files import allow_sockets
from workers.runtime.dependencies import lacking, unmigrated
from workers.runtime.garbage import REQUESTS, collect_seldom

REQUESTS_MAX = 2_000
"""Beside the sockets."""


async def serve(
    settings: Settings,
    on_listening: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until `stop` is set when it is given.

    `on_listening` gets the base URL. Raises ConfigurationError (address, signing key), DependencyDownError
    when Postgres does not answer, TopologyError when it lacks migrations.
    """
    await _check_database(settings)

    def configured(fail: Fail) -> uvicorn.Config:
        return _configuration(create_app(settings, fail), settings)

    listener = listen("gateway", settings.gateway.host, settings.gateway.port)
    await serve_app("gateway", configured, listener, stop, on_listening)


def run_gateway(settings: Settings) -> None:
    """Run the gateway in this process. Raises as `serve` does."""
    allow_sockets(settings.gateway.sockets_max)
    collect_seldom(REQUESTS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


async def _check_database(settings: Settings) -> None:
    if missing := await lacking(settings, "tongdai gateway"):
        raise unmigrated(missing)


def _configuration(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return configuration(
        app,
        settings.gateway.proxies,
        concurrency_max=settings.gateway.sockets_max + REQUESTS_MAX,
        http=CuttableHttp,
        ws=CuttableSocket,
        ws_max_size=settings.gateway.message_bytes_max,
    )
