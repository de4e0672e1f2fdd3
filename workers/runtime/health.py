"""`/healthz`, `/readyz` and `/metrics` of a worker, on a port of their own."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workers.runtime.status import Status

log = structlog.get_logger(__name__)


def health_app(statuses: Sequence[Status]) -> Starlette:
    """The application: `/healthz` asks no dependency, `/readyz` is 503 with the reasons."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        problems = [problem for status in statuses for problem in status.problems()]
        return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    )


class HealthServer(uvicorn.Server):
    """uvicorn inside a worker: signals are the worker's own affair."""

    def __init__(self, statuses: Sequence[Status], host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                health_app(statuses),
                host=host,
                port=port,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: the worker handles them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it listens, since port 0 means any."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                log.info("health_listening", host=host, port=port)
