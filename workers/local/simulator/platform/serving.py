"""Serves a played platform over HTTP on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from workers.channels.server import StoppableServer, listen, url_of


@asynccontextmanager
async def serving(app: Starlette, port: int = 0) -> AsyncIterator[str]:
    """Its base URL, for as long as the block lasts; whoever still waits for an answer then gets none."""
    stop = asyncio.Event()
    listener = listen("platform", "127.0.0.1", port)
    configuration = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = asyncio.create_task(StoppableServer(configuration, stop).serve(sockets=[listener]))
    try:
        yield url_of(listener)
    finally:
        stop.set()
        await server
