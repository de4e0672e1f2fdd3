"""A worker process whose handler copies, or (`slow`) never comes to an end with its first batch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from config.logging import configure_logging
from config.settings import Settings, load_settings
from tests.runtime.copier import Copier
from workers.runtime.handler import Handler
from workers.runtime.topology import Topology
from workers.runtime.worker import run_worker


def handlers(_topology: Topology, _settings: Settings) -> Sequence[Handler]:
    """One that copies."""
    copier = Copier()
    if "slow" in sys.argv[1:]:
        copier.before_handling = asyncio.Event()
    return [copier]


def main() -> None:
    """Run until SIGTERM."""
    settings = load_settings()
    configure_logging(settings.log)
    asyncio.run(run_worker("copying", handlers, settings))


if __name__ == "__main__":
    main()
