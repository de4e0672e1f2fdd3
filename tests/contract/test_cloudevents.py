"""A CloudEvents SDK reads our records as they come from a real Kafka."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat

from config.settings import Settings
from schemas.envelope import Kind
from workers.contract.examples import EXAMPLES

DEADLINE_S = 90.0


@pytest.mark.servers
async def test_a_cloudevents_sdk_reads_what_is_on_the_topics(
    kafka_settings: Settings, topics: dict[str, str]
) -> None:
    async with asyncio.timeout(DEADLINE_S):
        read = await _round_trip(kafka_settings, topics)
    assert set(read) == {kind.ce_type for kind in EXAMPLES}
    for kind, example in EXAMPLES.items():
        message = read[kind.ce_type]
        event = from_kafka(message, JSONFormat())
        assert event.get_specversion() == "1.0"
        assert event.get_id() == example.headers["ce_id"]
        assert event.get_source() == example.headers["ce_source"]
        assert event.get_subject() == example.key == event.get_extension("partitionkey")
        assert event.get_dataschema() == f"urn:tongdai:{kind.topic}:{kind.what}:v1"
        assert event.get_datacontenttype() == "application/json"
        assert event.get_time() is not None
        assert event.get_data() == example.value


def test_every_attribute_of_an_event_is_known_to_the_sdk() -> None:
    example = EXAMPLES[Kind("assignments", "assigned")]
    headers = {name: text.encode() for name, text in example.headers.items()}
    event = from_kafka(KafkaMessage(headers, example.key, orjson.dumps(example.value)), JSONFormat())
    assert set(event.get_attributes()) == {
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "subject",
        "dataschema",
        "datacontenttype",
        "partitionkey",
    }


async def _round_trip(settings: Settings, topics: dict[str, str]) -> dict[str, KafkaMessage]:
    """Publish every example and read all of them; by `ce_type`."""
    options = settings.kafka.client_options()
    async with AIOKafkaProducer(**options, acks="all", enable_idempotence=True) as producer:
        for kind, example in EXAMPLES.items():
            headers = [(name, text.encode()) for name, text in example.headers.items()]
            await producer.send_and_wait(
                topics[kind.topic],
                orjson.dumps(example.value),
                key=example.key.encode(),
                headers=headers,
            )
    names = {topics[kind.topic] for kind in EXAMPLES}
    found: dict[str, KafkaMessage] = {}
    consumer = AIOKafkaConsumer(*names, **options, auto_offset_reset="earliest", enable_auto_commit=False)
    async with consumer:
        while len(found) < len(EXAMPLES):
            record = await consumer.getone()
            by_name = dict(record.headers)
            found[by_name["ce_type"].decode()] = KafkaMessage(by_name, record.key, record.value)
    return found
