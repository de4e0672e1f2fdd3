"""Servers are brought to where workers can run; what is there already is left as it is."""

from __future__ import annotations

import asyncpg
import pytest

from config.errors import DependencyError
from config.settings import Settings
from workers.local.ports import free_port
from workers.local.preparation import prepare
from workers.migrations import lacking_migrations, pending_migrations

pytestmark = pytest.mark.servers


async def _lacking(dsn: str) -> tuple[str, ...]:
    connection = await asyncpg.connect(dsn)
    try:
        return await lacking_migrations(connection)
    finally:
        await connection.close()


async def test_prepared_once_and_again(kafka_settings: Settings, empty_database: str) -> None:
    servers = kafka_settings.kafka.bootstrap_servers
    settings = kafka_settings.with_servers(bootstrap_servers=servers, dsn=empty_database)
    assert await _lacking(empty_database) == pending_migrations(empty_database) != ()
    for _ in range(2):
        await prepare(settings)
        assert await _lacking(empty_database) == pending_migrations(empty_database) == ()


async def test_a_postgres_that_is_down_is_named(kafka_settings: Settings) -> None:
    dsn = f"postgresql://someone:secret@127.0.0.1:{free_port()}/somewhere"
    settings = kafka_settings.with_servers(bootstrap_servers=kafka_settings.kafka.bootstrap_servers, dsn=dsn)
    with pytest.raises(DependencyError, match=r"someone.*does not answer") as caught:
        await prepare(settings)
    assert "secret" not in str(caught.value)
