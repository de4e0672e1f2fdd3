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

from config.errors import ConfigurationError
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


class HealthPortError(ConfigurationError):
    """The health port cannot be listened on."""


class HealthServer(uvicorn.Server):
    """uvicorn inside a worker: signals are the worker's own affair. Listens from the beginning.

    Raises HealthPortError when the port is taken or is not this machine's.
    """

    def __init__(self, statuses: Sequence[Status], host: str, port: int) -> None:
        self._listening = _listen(host, port)
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

    @property
    def port(self) -> int:
        """Where it listens, since port 0 means any."""
        port: int = self._listening.getsockname()[1]
        return port

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer until cancelled."""
        log.info("health_listening", host=self.config.host, port=self.port)
        try:
            await super().serve([self._listening])
        finally:
            for server in getattr(self, "servers", []):
                server.close()
            self._listening.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise HealthPortError(
            f"cannot answer health checks on {host}:{port}: {error.strerror}; "
            "set TONGDAI_RUNTIME_HEALTH_HOST and TONGDAI_RUNTIME_HEALTH_PORT"
        ) from error
