"""The ingress as a process: one HTTP server that stops gracefully on SIGTERM and SIGINT.

It speaks plain HTTP; TLS ends at a proxy before it. What `X-Forwarded-For` says is believed of the proxies
that the settings name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import cast

import uvicorn
import uvloop

from config.logging import get_logger
from config.settings import Settings
from workers.channels.ingress import Ingress, create_app
from workers.channels.server import Fail, configuration, listen, serve_app
from workers.channels.shedding_http import SheddingHttp
from workers.channels.website.socket import VisitorSocket
from workers.runtime.garbage import REQUESTS, collect_seldom

CONNECTIONS_MAX = 4_000
"""Beside the sockets of visitors."""
SAID_BYTES_MAX = 32_768
"""What a visitor says at once: 4,000 characters fit."""

_log = get_logger(__name__)


async def serve(
    settings: Settings,
    on_listening: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or until `stop` is set when it is given.

    `on_listening` gets the base URL: connections wait from then on, and are answered a moment later.

    Raises ConfigurationError when the address cannot be listened on.
    """
    listener = listen("ingress", settings.ingress.host, settings.ingress.port)
    for channel, apps in (
        ("messenger", settings.ingress.messenger_apps),
        ("zalo", settings.ingress.zalo_apps),
    ):
        if not apps:
            _log.warning(
                "no_apps", channel=channel, effect="every webhook of this channel is refused with 403"
            )

    def configured(fail: Fail) -> uvicorn.Config:
        return _configuration(create_app(settings, fail), settings)

    await serve_app("ingress", configured, listener, stop, on_listening)


def run_ingress(settings: Settings) -> None:
    """Run the ingress in this process. Raises as `serve` does."""
    collect_seldom(REQUESTS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


def _configuration(ingress: Ingress, settings: Settings) -> uvicorn.Config:
    website = settings.website
    return configuration(
        ingress.app,
        settings.ingress.proxies,
        concurrency_max=CONNECTIONS_MAX + (website.sockets_max if website.sites else 0),
        http=cast("type[SheddingHttp]", partial(SheddingHttp, ingress.shedding)),
        ws=VisitorSocket if website.sites else "none",
        ws_max_size=SAID_BYTES_MAX,
    )
