"""The ingress as a process: one HTTP server that stops gracefully on SIGTERM and SIGINT.

It speaks plain HTTP; TLS ends at a proxy before it. What `X-Forwarded-For` says is believed of the proxies
that the settings name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import cast

import uvicorn
import uvloop

from config.logging import get_logger
from config.settings import Settings
from workers.channels.ingress import Ingress, create_app
from workers.channels.server import BACKLOG, StoppableServer, listen, url_of
from workers.channels.shedding_http import SheddingHttp
from workers.channels.website.socket import VisitorSocket
from workers.runtime.garbage import collect_seldom

GRACE_S = 8
"""A body may take 5 s to arrive, its records 1.5 s to be confirmed."""
CONNECTIONS_MAX = 4_000
"""Beside the sockets of visitors."""
SAID_BYTES_MAX = 32_768
"""What a visitor says at once: 4,000 characters fit."""
PING_S = 20.0
KEEP_ALIVE_S = 65
"""Longer than load balancers keep theirs, so that they do not meet a closing connection."""

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
    url = url_of(listener)
    for channel, apps in (
        ("messenger", settings.ingress.messenger_apps),
        ("zalo", settings.ingress.zalo_apps),
    ):
        if not apps:
            _log.warning(
                "no_apps", channel=channel, effect="every webhook of this channel is refused with 403"
            )
    _log.info("ingress_listening", url=url)
    if on_listening is not None:
        on_listening(url)
    await _serve(settings, listener, stop)
    _log.info("ingress_stopped")


def run_ingress(settings: Settings) -> None:
    """Run the ingress in this process. Raises as `serve` does."""
    collect_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


async def _serve(settings: Settings, listener: socket.socket, stop: asyncio.Event | None) -> None:
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    ingress = create_app(settings, fail)
    server = StoppableServer(_configuration(ingress, settings), stop)
    await server.serve(sockets=[listener])
    if failures:
        raise failures[0]


def _configuration(ingress: Ingress, settings: Settings) -> uvicorn.Config:
    website = settings.website
    return uvicorn.Config(
        ingress.app,
        http=cast("type[SheddingHttp]", partial(SheddingHttp, ingress.shedding)),
        ws=VisitorSocket if website.sites else "none",
        ws_max_size=SAID_BYTES_MAX,
        ws_per_message_deflate=False,  # 300 kB for each socket
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        lifespan="on",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=[str(each) for each in settings.ingress.proxies],
        limit_concurrency=CONNECTIONS_MAX + (website.sockets_max if website.sites else 0),
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
