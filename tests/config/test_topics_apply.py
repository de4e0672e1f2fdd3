"""Topics are made on a real Kafka: created once, then left alone whatever differs."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from config.errors import DependencyError
from config.settings import Settings
from config.topics import CATALOGUE
from config.topics_apply import TopicsError, apply_topics, read_topics
from config.topics_plan import TopicView

pytestmark = pytest.mark.servers


def _with_kafka(settings: Settings, **kafka: object) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update=kafka)})


async def _topics(settings: Settings) -> dict[str, TopicView]:
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    await admin.start()
    try:
        return dict(await read_topics(admin, settings.kafka))
    finally:
        await admin.close()


async def test_a_dry_run_creates_nothing(kafka_settings: Settings) -> None:
    report = await apply_topics(kafka_settings, dry_run=True)
    assert len(report.created) == len(CATALOGUE)
    assert await _topics(kafka_settings) == {}


async def test_apply_creates_and_then_changes_nothing(kafka_settings: Settings) -> None:
    first = await apply_topics(kafka_settings)
    assert set(first.created) == {topic.full_name(kafka_settings.kafka.topic_prefix) for topic in CATALOGUE}
    made = await _topics(kafka_settings)
    for topic in CATALOGUE:
        view = made[topic.full_name(kafka_settings.kafka.topic_prefix)]
        assert view.partitions == topic.partitions(kafka_settings.kafka)
        assert view.configs.items() >= topic.configs(kafka_settings.kafka).items()
    second = await apply_topics(kafka_settings)
    assert (second.created, second.differences, second.usable) == ((), (), True)
    assert second.unchanged == first.created
    assert await _topics(kafka_settings) == made


async def test_two_at_once_do_not_disturb_each_other(kafka_settings: Settings) -> None:
    await asyncio.gather(apply_topics(kafka_settings), apply_topics(kafka_settings))
    assert len(await _topics(kafka_settings)) == len(CATALOGUE)


async def test_differences_are_told_and_left(kafka_settings: Settings) -> None:
    await apply_topics(kafka_settings)
    made = await _topics(kafka_settings)
    more = kafka_settings.kafka.conversation_partitions + 1
    changed = _with_kafka(kafka_settings, conversation_partitions=more, min_insync_replicas=2)
    report = await apply_topics(changed)
    assert not report.usable
    assert {difference.what for difference in report.differences} == {"partitions", "min.insync.replicas"}
    assert await _topics(kafka_settings) == made


async def test_what_kafka_refuses_is_told(kafka_settings: Settings) -> None:
    with pytest.raises(TopicsError, match=r"does not create .*inbound\.v1.*replication factor of 5"):
        await apply_topics(_with_kafka(kafka_settings, replication_factor=5))


async def test_no_kafka_is_a_missing_dependency(kafka_settings: Settings) -> None:
    nowhere = _with_kafka(kafka_settings, bootstrap_servers="127.0.0.1:1")
    with pytest.raises(DependencyError, match=r"127\.0\.0\.1:1 cannot be reached"):
        await apply_topics(nowhere)
