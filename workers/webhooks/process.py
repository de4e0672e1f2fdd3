"""The webhooks' worker as a process: signals, health, and a deadline for its end."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from config.errors import ConfigurationError
from config.logging import get_logger
from config.problem import variable
from config.settings import Settings
from workers.runtime.dependencies import dependencies
from workers.runtime.health import HealthServer
from workers.runtime.watchdog import Watchdog
from workers.runtime.worker import stop_signals, supervise
from workers.webhooks.signing import Keys, signing_keys
from workers.webhooks.worker import KIND, Worker

_log = get_logger(__name__)


def run_webhooks(settings: Settings) -> None:
    """Run the worker in this process until SIGTERM or SIGINT.

    Raises ConfigurationError when production has no signing key, and what `run_worker` raises.
    """
    keys = signing_keys(settings)
    if settings.profile == "production" and not keys.can_draw:
        raise ConfigurationError(
            f"{variable('webhooks', 'signing_keys')} is not set: production needs one of at least 32 bytes, "
            "the same in all gateways and workers; draw it with: openssl rand -base64 48"
        )
    # Not uvloop's: names are looked up in threads, and it has four. Here each endpoint has its own.
    asyncio.run(_run(settings, keys))


async def _run(settings: Settings, keys: Keys) -> None:
    threads = ThreadPoolExecutor(settings.webhooks.endpoints_max, thread_name_prefix="names")
    loop = asyncio.get_running_loop()
    loop.set_default_executor(threads)
    stopping = asyncio.Event()
    with stop_signals(stopping):
        if await dependencies(settings, stopping) is None:
            _log.info("worker_stopped", worker=KIND)
            return
        worker = Worker(settings, keys)
        watchdog = Watchdog(
            [worker.status],
            loop,
            limit_s=settings.runtime.watchdog_s,
            bootstrap_servers=settings.kafka.bootstrap_servers,
        )
        watchdog.start()
        health = HealthServer([worker.status], settings.runtime.health_host, settings.runtime.health_port)
        _log.info("worker_started", worker=KIND)
        try:
            await supervise(
                {KIND: worker.run(stopping)},
                {"health": health.serve()},
                stopping,
                settings.runtime.stop_deadline_s,
            )
        finally:
            watchdog.end()
    _log.info("worker_stopped", worker=KIND)
