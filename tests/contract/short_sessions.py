"""The routing worker with sessions that end after seconds: shorter than its settings allow."""

from __future__ import annotations

import asyncio
import sys

from config.routing import RoutingSettings
from workers.cli.start import start_worker
from workers.routing.worker import routing_handlers
from workers.runtime.worker import run_worker


def main(silence_s: float) -> None:
    """Run until SIGTERM."""
    routing = RoutingSettings.model_construct(session_silence_s=silence_s)
    settings = start_worker().model_copy(update={"routing": routing})
    asyncio.run(run_worker("routing", routing_handlers, settings))


if __name__ == "__main__":
    main(float(sys.argv[1]))
