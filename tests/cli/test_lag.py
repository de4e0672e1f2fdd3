"""`tongdai lag` on a real Kafka."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from config.errors import ExitCode
from config.settings import Settings
from tests.cli.conftest import Tongdai
from tests.cli.publishing import Sent, publish
from workers.channels.delivery.handler import DeliveryHandler
from workers.cli.lags import GROUPS
from workers.notifier.handler import NotifierHandler
from workers.routing.desk.handler import DeskHandler
from workers.routing.intake.handler import IntakeHandler

pytestmark = pytest.mark.servers


async def commit(settings: Settings, group: str, topic: str, partition: int, offset: int) -> None:
    consumer = AIOKafkaConsumer(**settings.kafka.client_options(), group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, partition)])
    await consumer.commit({TopicPartition(topic, partition): offset})
    await consumer.stop()


async def test_a_system_at_rest_has_no_lag(tongdai: Tongdai, topics: dict[str, str]) -> None:
    done = await tongdai("lag", "--json")
    assert done.exit_code == ExitCode.OK
    rows = done.json()
    assert {each["lag_sum"] for each in rows} == {0}
    assert {(each["group"].rpartition(".")[2], each["topic"]) for each in rows} == {
        (group, topics[topic.name]) for group, inputs in GROUPS.items() for topic in inputs
    }


async def test_lag_is_what_is_committed_on_the_topic_and_not_by_the_group(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str], topic_prefix: str
) -> None:
    for partition, count in ((0, 5), (1, 3)):
        records = [Sent(b"{}", partition=partition)] * count
        await publish(kafka_settings, topics["messages"], records)
    await commit(kafka_settings, f"{topic_prefix}.notifier", topics["messages"], 0, 4)

    rows = {(each["group"], each["topic"]): each for each in (await tongdai("lag", "--json")).json()}
    # A transaction's end takes an offset too.
    assert rows[f"{topic_prefix}.notifier", topics["messages"]] == {
        "group": f"{topic_prefix}.notifier",
        "topic": topics["messages"],
        "partitions": 4,
        "lag_sum": 2 + 4,
        "lag_max": 4,
        "held_back_sum": 0,
    }
    table = (await tongdai("lag")).out
    line = next(line for line in table.splitlines() if topics["messages"] in line)
    assert line.split() == [f"{topic_prefix}.notifier", topics["messages"], "4", "6", "4", "0"]


async def test_what_waits_behind_an_open_transaction_is_held_back_and_no_lag(
    tongdai: Tongdai, kafka_settings: Settings, topics: dict[str, str], topic_prefix: str
) -> None:
    producer = AIOKafkaProducer(**kafka_settings.kafka.client_options(), transactional_id=topic_prefix)
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(topics["messages"], b"{}", partition=2)
    await publish(kafka_settings, topics["commands"], [Sent(b"{}", partition=0)])

    rows = {each["topic"]: each for each in (await tongdai("lag", "--json")).json()}
    await producer.abort_transaction()
    await producer.stop()
    found = {topic: (row["lag_sum"], row["held_back_sum"]) for topic, row in rows.items()}
    assert found[topics["messages"]] == (0, 1)
    assert found[topics["commands"]][1] == 0


async def test_missing_topics_are_named(tongdai: Tongdai) -> None:
    done = await tongdai("lag")
    assert done.exit_code == ExitCode.FAILED
    assert "tongdai topics apply" in done.err


async def test_a_kafka_that_is_not_there_is_a_dependency(
    tongdai: Tongdai, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONGDAI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    done = await tongdai("lag")
    assert done.exit_code == ExitCode.DEPENDENCY
    assert "127.0.0.1:1" in done.err


def test_the_groups_inputs_are_the_handlers() -> None:
    handlers = (IntakeHandler, DeskHandler, NotifierHandler, DeliveryHandler)
    expected = {handler.kind: set(handler.inputs) for handler in handlers}
    assert {group: {topic.name for topic in inputs} for group, inputs in GROUPS.items()} == expected
