"""Fixtures of all tests: a real Kafka and PostgreSQL, started once a run, and each test's own part of them.

`TONGDAI_TEST_KAFKA_BOOTSTRAP_SERVERS` and `TONGDAI_TEST_POSTGRES_DSN` (of a user who may create databases)
name servers to use instead of the embedded ones. Every other `TONGDAI_` variable is hidden from the tests.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis

# pytest rewrites what is imported of Hypothesis, and CPython 3.11 cannot bear that garbage is collected, with
# something to log, while a module is parsed: nothing of it is left to be imported while tests run.
import hypothesis.internal.conjecture.optimiser
import hypothesis.internal.observability
import hypothesis.strategies._internal.flatmapped
import hypothesis.strategies._internal.types
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from config.settings import Settings
from config.topics import CATALOGUE
from config.topics_apply import apply_topics
from tests.databases import name_of, new_database
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options
from workers.local.postgres import EmbeddedPostgres
from workers.migrations import migrate

_OURS = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("TONGDAI_")}
_KAFKA = _OURS.get("TONGDAI_TEST_KAFKA_BOOTSTRAP_SERVERS")
_POSTGRES = _OURS.get("TONGDAI_TEST_POSTGRES_DSN")

CONVERSATION_PARTITIONS = 4
DESK_PARTITIONS = 2
MEMORY = Path("/dev/shm")
MEMORY_MIN_BYTES = 6 * 1024**3
"""Free there, for the servers of all test processes at once."""

# A run tells whether a change broke something, so the same code is tried with the same examples, however slow
# the machine is. Who looks for what nobody has thought of: `make test ARGS="--hypothesis-profile=search"`.
hypothesis.settings.register_profile("search", deadline=None, max_examples=2_000)
hypothesis.settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A temporary folder that every user can pass through, as root's PostgreSQL runs as another one.

    In memory where there is room: the servers of a run make and delete files by the hundred thousand.
    """
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_MIN_BYTES
    folder = Path(tempfile.mkdtemp(prefix="tongdai-test-", dir=MEMORY if in_memory else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def server_dir() -> Iterator[Path]:
    """A folder for the data of servers that a test starts itself."""
    with _open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def bootstrap_servers() -> Iterator[str]:
    """The Kafka of this run."""
    if _KAFKA is not None:
        yield _KAFKA
        return
    with _open_folder() as folder:
        # Each test meets a cold broker for a few seconds: compiling it well would take longer than it works.
        kafka = EmbeddedKafka(folder / "kafka", java_options=quick_start_options())
        asyncio.run(kafka.start())
        yield kafka.bootstrap_servers
        asyncio.run(kafka.stop())


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """A database of the PostgreSQL of this run, from which others can be created."""
    if _POSTGRES is not None:
        yield _POSTGRES
        return
    with _open_folder() as folder:
        # No test cuts the power; what a killed process has written stays without fsync, too.
        postgres = EmbeddedPostgres(folder / "postgres", overrides={"fsync": "off", "max_wal_size": "512MB"})
        asyncio.run(postgres.start())
        yield postgres.dsn
        asyncio.run(postgres.stop())


@pytest.fixture(scope="session")
def template_database(postgres_dsn: str) -> Iterator[str]:
    """The name of a database with all migrations applied, that tests copy."""
    with new_database(postgres_dsn) as dsn:
        migrate(dsn)
        yield name_of(dsn)


@pytest.fixture
def database(postgres_dsn: str, template_database: str) -> Iterator[str]:
    """The DSN of this test's own migrated, empty database."""
    with new_database(postgres_dsn, template_database) as dsn:
        yield dsn


@pytest.fixture
def empty_database(postgres_dsn: str) -> Iterator[str]:
    """The DSN of this test's own database without any table."""
    with new_database(postgres_dsn) as dsn:
        yield dsn


@pytest.fixture
def topic_prefix() -> str:
    """This test's own prefix of topics (and of groups and transactional ids)."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def kafka_settings(bootstrap_servers: str, topic_prefix: str) -> Settings:
    """Settings of this run's Kafka, this test's prefix, few partitions; PostgreSQL is not set."""
    kafka = {
        "bootstrap_servers": bootstrap_servers,
        "topic_prefix": topic_prefix,
        "conversation_partitions": CONVERSATION_PARTITIONS,
        "desk_partitions": DESK_PARTITIONS,
    }
    return Settings.model_validate({"kafka": kafka})


@pytest.fixture
def settings(kafka_settings: Settings, database: str) -> Settings:
    """Settings of this run's Kafka and this test's database."""
    return kafka_settings.with_servers(bootstrap_servers=kafka_settings.kafka.bootstrap_servers, dsn=database)


@pytest.fixture
async def topics(kafka_settings: Settings) -> AsyncIterator[dict[str, str]]:
    """Every topic of the catalogue, made under this test's prefix: full names by short ones."""
    await apply_topics(kafka_settings)
    names = {topic.name: topic.full_name(kafka_settings.kafka.topic_prefix) for topic in CATALOGUE}
    yield names
    admin = AIOKafkaAdminClient(**kafka_settings.kafka.client_options())
    await admin.start()
    await admin.delete_topics(list(names.values()))
    await admin.close()


@pytest.fixture
def log_restored() -> Iterator[None]:
    """pytest has its own log handlers back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
