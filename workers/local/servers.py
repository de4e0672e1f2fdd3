"""Kafka and PostgreSQL side by side."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.local.data_dir import DataDir
from workers.local.kafka import EmbeddedKafka
from workers.local.postgres import EmbeddedPostgres


@dataclass(frozen=True)
class Servers:
    """The running pair, and where clients connect.

    Attributes:
        bootstrap_servers: Kafka's `host:port`.
        dsn: the database `tongdai`, password included.
    """

    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    bootstrap_servers: str
    dsn: str

    async def failure(self) -> None:
        """Waits until one of them ends by itself, and raises LocalServerError then."""
        watching = [asyncio.create_task(each.failure()) for each in (self.kafka, self.postgres)]
        try:
            done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in watching:
                task.cancel()


@asynccontextmanager
async def local_servers(
    data_dir: Path,
    *,
    java_options: Sequence[str] | None = None,
    kafka_port: int = 0,
    kafka_properties: Mapping[str, str] | None = None,
) -> AsyncIterator[Servers]:
    """Starts both at the same time, keeps their data below `data_dir`, stops both at the end.

    Args:
        data_dir: the folder of their folders.
        java_options: of Kafka, instead of the usual ones.
        kafka_port: 0 for the one of last time, or any free one.
        kafka_properties: they win over the usual ones.

    Raises:
        LocalServerError: one could not be started; the other is stopped again.
    """
    kafka = EmbeddedKafka(
        data_dir / "kafka", port=kafka_port, overrides=kafka_properties, java_options=java_options
    )
    postgres = EmbeddedPostgres(data_dir / "postgres")
    try:
        await _both(kafka.start(), postgres.start())
        yield Servers(kafka, postgres, kafka.bootstrap_servers, postgres.dsn)
    finally:
        await _both(kafka.stop(), postgres.stop())


async def remove_data(data_dir: Path) -> None:
    """Deletes the data of both servers, for ever; what else is in `data_dir` stays.

    Raises:
        LocalServerError: a live process uses it.
    """
    for folder in (DataDir(data_dir / "kafka"), DataDir(data_dir / "postgres")):
        await folder.acquire()
        shutil.rmtree(folder.path)
        folder.release()


async def _both(first: Coroutine[None, None, None], second: Coroutine[None, None, None]) -> None:
    """Runs both to their ends, then raises the first error: what was started is never left half-way."""
    for result in await asyncio.gather(first, second, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
