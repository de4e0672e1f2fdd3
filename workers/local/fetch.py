"""`python -m workers.local.fetch`: gets from the network all that a start of the local servers needs."""

from __future__ import annotations

import asyncio
import logging
import sys

from rich.console import Console

from workers.local.errors import LocalServerError
from workers.local.jars import KAFKA_VERSION, verified_jars
from workers.local.kafka_java import start_up_cache
from workers.local.training import build_start_up_cache


async def fetch() -> None:
    """Fetches and verifies Apache Kafka and prepares its start; does nothing when all is there.

    Raises:
        LocalServerError: a jar could not be had, or Kafka does not start on this machine.
    """
    verified_jars()
    if start_up_cache().exists():
        return
    console = Console(stderr=True)
    with console.status(f"Preparing the start of Apache Kafka {KAFKA_VERSION} (about 20 s, once)"):
        await build_start_up_cache()
    console.print(f"Preparing the start of Apache Kafka {KAFKA_VERSION}: done.")


def main() -> int:
    """Fetches; returns the exit code."""
    # A node that has just begun to start refuses some first calls, which is no news.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(fetch())
    except LocalServerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is for the person who called
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
