"""Kafka tells of topics without making any; event ids are computed from its id of the topic."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from config.settings import Settings
from schemas.envelope import Kind, header
from tests.waiting import eventually
from workers.runtime.batch import Batch, Record
from workers.runtime.failures import TopologyError
from workers.runtime.metadata import _MetadataRequest12, _TopicsRequest, read_metadata
from workers.runtime.runtime import read_topology

KIND = Kind("messages", "copied")
RECORD = Record("inbound", 0, 7, 1_000, b"key", b"value", [])


def emitted_id(log_ids: dict[str, str]) -> bytes | None:
    batch = Batch("intake", [RECORD], [1_000], log_ids)
    batch.emit(RECORD, KIND, key=b"key", value=b"{}", at_ms=1_000)
    return header(batch.events[0][0].headers, "ce_id")


def test_the_same_offset_of_another_log_gives_another_event_id() -> None:
    assert emitted_id({"inbound": "one"}) == emitted_id({"inbound": "one"})
    assert emitted_id({"inbound": "one"}) != emitted_id({"inbound": "two"})


@pytest.mark.servers
async def test_a_topic_that_is_made_again_has_another_id(kafka_settings: Settings, topic_prefix: str) -> None:
    name = f"{topic_prefix}.again"
    admin = AIOKafkaAdminClient(**kafka_settings.kafka.client_options())
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 3, 1)])

        async def made() -> bool:
            return name in await read_metadata(admin, [name])

        await eventually(made, "the broker knows the topic")
        before = (await read_metadata(admin, [name]))[name]
        assert before.partitions == 3
        await admin.delete_topics([name])

        async def made_again() -> bool:
            await admin.create_topics([NewTopic(name, 1, 1)])
            return (await read_metadata(admin, [name])).get(name, before).id != before.id

        await eventually(made_again, "the topic made again has another id")
        await admin.delete_topics([name])
    finally:
        await admin.close()


def test_no_topic_is_made_by_asking_for_it() -> None:
    built = _TopicsRequest(["tongdai.inbound.v1"]).build(_MetadataRequest12)
    assert not built.allow_auto_topic_creation


@pytest.mark.servers
async def test_a_topic_that_is_missing_is_told_as_missing(
    kafka_settings: Settings, topic_prefix: str
) -> None:
    topology = await read_topology(kafka_settings)
    assert (topology.partitions, topology.ids) == ({}, {})
    with pytest.raises(TopologyError, match=f"{topic_prefix}.inbound.v1 has 0.*tongdai topics apply"):
        topology.lanes(["inbound", "assignments"])
