"""`/healthz`, `/readyz` and `/metrics` of the ingress."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workers.channels.metrics import IngressMetrics
from workers.channels.publisher import Publisher


def health_routes(publisher: Publisher, metrics: IngressMetrics) -> Sequence[Route]:
    """The routes. `/healthz` touches nothing but the process; `/readyz` is 503 without Kafka."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        if publisher.connected:
            return JSONResponse({"status": "ready"})
        reasons = ["Kafka is not connected, or lacks the topics inbound, receipts and deadletter"]
        return JSONResponse({"status": "not ready", "reasons": reasons}, status_code=503)

    async def metrics_text(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return (Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics_text))
