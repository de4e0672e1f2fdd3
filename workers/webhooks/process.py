"""The webhooks' worker as a process: signals, health, and a deadline for its end."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from config.errors import ConfigurationError
from config.problem import variable
from config.settings import Settings
from workers.runtime.topology import Topology
from workers.runtime.worker import Work, run_work
from workers.webhooks.signing import Keys, signing_keys
from workers.webhooks.worker import KIND, Worker


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
    asyncio.get_running_loop().set_default_executor(threads)

    def begin(_: Topology, stopping: asyncio.Event) -> Work:
        worker = Worker(settings, keys)
        return Work([worker.status], {KIND: worker.run(stopping)}, {})

    await run_work(KIND, settings, begin)
