"""The fixtures give what they promise: tests of everything else stand on them."""

from __future__ import annotations

import os

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from config.settings import Settings
from config.topics import CATALOGUE

pytestmark = pytest.mark.servers


async def test_a_test_has_a_migrated_database_of_its_own(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
        assert await connection.fetchval("SELECT upper('tổng đài')") == "TỔNG ĐÀI"
    finally:
        await connection.close()


async def test_a_test_has_every_topic_of_the_catalogue(
    topics: dict[str, str], kafka_settings: Settings
) -> None:
    admin = AIOKafkaAdminClient(**kafka_settings.kafka.client_options())
    await admin.start()
    try:
        there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    finally:
        await admin.close()
    wanted = {topics[topic.name]: topic.partitions(kafka_settings.kafka) for topic in CATALOGUE}
    assert wanted.items() <= there.items()


def test_the_environment_of_the_person_is_hidden() -> None:
    assert [name for name in os.environ if name.startswith("TONGDAI_")] == []
