"""How often one address may ask the ingress for anything: webhooks, files, the widget, sockets."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from config.ingress import IngressSettings
from config.logging import get_logger
from workers.channels.metrics import IngressMetrics
from workers.channels.problem import RateLimitedError, problem_response
from workers.channels.rate_limit import RateLimit
from workers.channels.seldom import LOGGED_BURST, LOGGED_PER_S

UNLIMITED = frozenset({"/healthz", "/readyz", "/metrics"})
EVERY_CHANNEL = "any"
"""In metrics: which channel was meant is not looked at any more."""

_log = get_logger(__name__)


class AddressLimit:
    """Middleware before all routes: what an address asks too often is refused, whatever it is."""

    def __init__(self, app: ASGIApp, settings: IngressSettings, metrics: IngressMetrics) -> None:
        self._app = app
        self._rate = RateLimit(settings.rate_per_s, settings.rate_burst)
        self._log_rate = RateLimit(LOGGED_PER_S, LOGGED_BURST, bucket=str)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is within the limit."""
        if scope["type"] == "lifespan" or scope["path"] in UNLIMITED:
            await self._app(scope, receive, send)
            return
        address = (scope["client"] or ("",))[0]
        if wait_s := self._rate.take(address, time.monotonic()):
            await self._refuse(address, wait_s, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _refuse(self, address: str, wait_s: float, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = RateLimitedError("This address sends too many requests.", retry_after_s=wait_s)
        self._metrics.refused.labels(EVERY_CHANNEL, refusal.slug).inc()
        if not self._log_rate.take("", time.monotonic()):
            _log.info("address_limited", address=address, wait_s=wait_s)
        await problem_response(refusal)(scope, receive, send)
