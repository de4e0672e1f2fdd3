"""Where contestants run: real servers, a database of the benchmark's own, fresh topics for each run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from bench.machine import Machine, describe
from config.errors import DependencyError
from config.settings import Settings
from config.topics_apply import apply_topics
from workers.local.jars import KAFKA_VERSION
from workers.local.servers import local_servers, remove_data
from workers.migrations import migrate
from workers.runtime.handler import Connection

DATA_DIR = Path(".tongdai/bench")

_TABLES = """
SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables
 WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""


@dataclass(frozen=True)
class Course:
    """One run's ground: topics that nobody has used, and empty tables."""

    settings: Settings
    connection: Connection
    log_dir: Path
    kafka_pid: int | None = None
    """None: Kafka was not started here."""


@dataclass(frozen=True)
class Arena:
    """Servers that are up, with a migrated database that is dropped at the end."""

    settings: Settings
    log_dir: Path
    machine: Machine
    kafka_pid: int | None = None

    @asynccontextmanager
    async def course(self) -> AsyncIterator[Course]:
        """Make new topics, empty the tables; delete the topics at the end."""
        prefix = f"bench-{uuid4().hex[:8]}"
        kafka = self.settings.kafka.model_copy(update={"topic_prefix": prefix})
        settings = self.settings.model_copy(update={"kafka": kafka})
        connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
        try:
            tables = await connection.fetchval(_TABLES)
            await connection.execute(f"TRUNCATE {tables}")
            await apply_topics(settings)
            yield Course(settings, connection, self.log_dir, self.kafka_pid)
            await _delete_topics(settings)
        finally:
            await connection.close()


@asynccontextmanager
async def open_arena(settings: Settings, data_dir: Path = DATA_DIR) -> AsyncIterator[Arena]:
    """The servers that the settings name; what they do not name is started here and deleted at the end.

    Raises DependencyError when a named server does not answer or refuses a database of our own.
    """
    log_dir = await asyncio.to_thread(_make, data_dir)
    async with _servers(settings, data_dir) as (served, kafka_pid), _database(served) as dsn:
        kafka = served.kafka.bootstrap_servers
        own = served.with_servers(bootstrap_servers=kafka, dsn=dsn)
        await asyncio.to_thread(migrate, dsn)
        machine = await _machine(own, embedded=kafka_pid is not None)
        yield Arena(own, log_dir, machine, kafka_pid)


def _make(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@asynccontextmanager
async def _servers(settings: Settings, data_dir: Path) -> AsyncIterator[tuple[Settings, int | None]]:
    """Settings that name both, and Kafka's process, if it was started here."""
    if settings.kafka.is_named and settings.postgres.is_named:
        yield settings, None
        return
    await remove_data(data_dir)
    async with local_servers(data_dir) as servers:
        kafka, dsn = servers.bootstrap_servers, servers.dsn
        kafka_pid: int | None = servers.kafka.pid
        if settings.kafka.is_named:
            kafka, kafka_pid = settings.kafka.bootstrap_servers, None
        if settings.postgres.is_named:
            dsn = settings.postgres.dsn.get_secret_value()
        yield settings.with_servers(bootstrap_servers=kafka, dsn=dsn), kafka_pid
    await remove_data(data_dir)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    """A database beside the named one, so that no table of anybody is ever emptied."""
    server = settings.postgres.dsn.get_secret_value()
    name = f"tongdai_bench_{uuid4().hex[:8]}"
    await _execute(settings, f'CREATE DATABASE "{name}"')
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        await _execute(settings, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _execute(settings: Settings, statement: str) -> None:
    try:
        connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    except (OSError, asyncpg.PostgresError) as error:
        raise DependencyError(
            f"Postgres at {settings.postgres.masked_dsn} does not answer: {error}"
        ) from error
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError as error:
        raise DependencyError(
            f"the benchmark needs a database of its own on {settings.postgres.masked_dsn}: {error}. "
            "Give the user CREATEDB, or let the benchmark start its own servers."
        ) from error
    finally:
        await connection.close()


async def _machine(settings: Settings, *, embedded: bool) -> Machine:
    connection = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    try:
        postgres = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return describe(postgres, KAFKA_VERSION if embedded else "named by the settings")


async def _delete_topics(settings: Settings) -> None:
    """Also those that a contestant has made for itself."""
    prefix = settings.kafka.topic_prefix
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    await admin.start()
    try:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(prefix)])
    finally:
        await admin.close()
