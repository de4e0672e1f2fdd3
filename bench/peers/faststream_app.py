"""What both FastStream programs share: the broker, the pool of connections, publishing."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import uvloop
from faststream import FastStream
from faststream.kafka import KafkaBroker

from bench.peers.values import Letter
from config.settings import Settings
from config.topics import INBOUND

WORKERS = 16


class TeamApp:
    """A FastStream application with a pool of Postgres connections."""

    def __init__(self, settings: Settings) -> None:
        self.broker = KafkaBroker(
            settings.kafka.bootstrap_servers.split(","), acks="all", logger=None, graceful_timeout=5.0
        )
        self.inbound = INBOUND.full_name(settings.kafka.topic_prefix)
        self.pool: Any = None
        self._settings = settings

    def run(self) -> None:
        """Work until the process is stopped."""
        uvloop.run(self._run())

    async def publish(self, letters: list[Letter]) -> None:
        """Publish and wait until Kafka has them, all at once; each where its key belongs.

        Not `publish_batch`: it puts a whole batch into one partition, with one set of headers.
        """
        prefix = self._settings.kafka.topic_prefix
        await asyncio.gather(
            *(
                self.broker.publish(
                    letter.value,
                    f"{prefix}.{letter.topic}.v1",
                    key=letter.key,
                    headers={name: content.decode() for name, content in letter.headers},
                )
                for letter in letters
            )
        )

    async def _run(self) -> None:
        dsn = self._settings.postgres.dsn.get_secret_value()
        async with asyncpg.create_pool(dsn, min_size=WORKERS, max_size=WORKERS) as self.pool:
            await FastStream(self.broker, logger=None).run()
