"""The catalogue is the design's table, and differences from it are told and never mended."""

from __future__ import annotations

import pytest

from config.kafka import KafkaSettings
from config.topics import CATALOGUE, Topic
from config.topics_plan import TopicView, plan

WEEK_MS = 604_800_000
MONTH_MS = 2_592_000_000
PRODUCTION = KafkaSettings(
    conversation_partitions=48, desk_partitions=24, replication_factor=3, min_insync_replicas=2
)


@pytest.mark.parametrize(
    ("name", "partitions", "retention_ms", "clock"),
    [
        ("inbound", (48, 6), WEEK_MS, "LogAppendTime"),
        ("actions", (48, 6), WEEK_MS, "LogAppendTime"),
        ("assignments", (48, 6), -1, "CreateTime"),
        ("messages", (48, 6), WEEK_MS, "CreateTime"),
        ("outbound", (48, 6), WEEK_MS, "CreateTime"),
        ("receipts", (48, 6), WEEK_MS, "CreateTime"),
        ("commands", (24, 3), -1, "LogAppendTime"),
        ("roster", (24, 3), -1, "CreateTime"),
        ("notifications", (24, 3), WEEK_MS, "CreateTime"),
        ("outcomes", (24, 3), MONTH_MS, "CreateTime"),
        ("deadletter", (6, 6), MONTH_MS, "CreateTime"),
    ],
)
def test_each_topic_has_its_partitions_retention_and_clock(
    name: str, partitions: tuple[int, int], retention_ms: int, clock: str
) -> None:
    (topic,) = [topic for topic in CATALOGUE if topic.name == name]
    configs = topic.configs(PRODUCTION)
    assert (topic.partitions(PRODUCTION), topic.partitions(KafkaSettings())) == partitions
    assert configs["retention.ms"] == str(retention_ms)
    assert configs["message.timestamp.type"] == clock
    assert configs.get("segment.ms") == (None if retention_ms < 0 else str(24 * 60 * 60 * 1000))
    assert configs["cleanup.policy"] == "delete"
    assert configs["min.insync.replicas"] == "2"
    assert configs["max.message.bytes"] == ("1114112" if name == "deadletter" else "1048576")


def test_the_catalogue_has_no_more() -> None:
    assert len(CATALOGUE) == 11


def test_a_full_name_is_prefix_name_and_version() -> None:
    assert CATALOGUE[0].full_name("shop.vn") == "shop.vn.inbound.v1"


def _existing(kafka: KafkaSettings) -> dict[str, TopicView]:
    return {topic.full_name(kafka.topic_prefix): _view(topic, kafka) for topic in CATALOGUE}


def _view(topic: Topic, kafka: KafkaSettings) -> TopicView:
    others = {"segment.bytes": "1073741824"}
    return TopicView(topic.partitions(kafka), kafka.replication_factor, topic.configs(kafka) | others)


def test_nothing_exists() -> None:
    todo = plan(PRODUCTION, {})
    assert todo.missing == CATALOGUE
    assert not todo.unchanged
    assert not todo.differences


def test_all_is_as_it_should_be() -> None:
    todo = plan(PRODUCTION, _existing(PRODUCTION))
    assert len(todo.unchanged) == len(CATALOGUE)
    assert not todo.missing
    assert not todo.differences


@pytest.mark.parametrize("partitions", [12, 96])
def test_another_number_of_partitions_stops_workers(partitions: int) -> None:
    existing = _existing(PRODUCTION) | {"tongdai.inbound.v1": TopicView(partitions, 3, _configs("inbound"))}
    (difference,) = plan(PRODUCTION, existing).differences
    assert difference.stops_workers
    assert str(difference).startswith(f"tongdai.inbound.v1: partitions is {partitions}, expected 48")
    assert f"TONGDAI_KAFKA_CONVERSATION_PARTITIONS={partitions}" in difference.advice
    assert ("topics grow" in difference.advice) == (partitions < 48)


def test_another_configuration_is_told() -> None:
    configs = _configs("assignments") | {"retention.ms": "1000"}
    existing = _existing(PRODUCTION) | {"tongdai.assignments.v1": TopicView(48, 3, configs)}
    (difference,) = plan(PRODUCTION, existing).differences
    assert not difference.stops_workers
    assert (difference.what, difference.expected, difference.found) == ("retention.ms", "-1", "1000")


def _configs(name: str) -> dict[str, str]:
    return next(topic.configs(PRODUCTION) for topic in CATALOGUE if topic.name == name)
