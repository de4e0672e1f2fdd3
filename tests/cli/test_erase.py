"""`tongdai erase`: what topics still hold of a customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import orjson
import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from asyncpg.pgproto.pgproto import UUID as PostgresUuid  # noqa: N811

from config.settings import Settings
from config.topics import DEADLETTER, INBOUND, OUTCOMES, Topic
from schemas.ids import conversation_id
from tests.cli.publishing import Sent, publish
from workers.channels.topic_reader import open_reader
from workers.cli import erase_command as command
from workers.cli.erased_topics import Left, Named, left_in_topics, told
from workers.cli.output import print_json
from workers.gateway.erasure import Found

KEY = "messenger:page-1:u1"
AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


async def expire(settings: Settings, names: list[str]) -> None:
    """What Kafka does when the time of all records of these topics is over."""
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    await admin.start()
    async with open_reader(settings, names) as reader:
        ends = {place: RecordsToDelete(before_offset=end) for place, end in (await reader.ends()).items()}
    await admin.delete_records({place: end for place, end in ends.items() if end.before_offset})
    await admin.close()


@pytest.mark.servers
async def test_records_are_found_by_key_or_by_the_conversation_that_they_name_until_their_time_is_over(
    kafka_settings: Settings, topics: dict[str, str]
) -> None:
    conversation = conversation_id(KEY)
    about = f'{{"conversation":"{conversation}"}}'.encode()
    await publish(
        kafka_settings, topics["inbound"], [Sent(b"{}"), Sent(b"{}", b"messenger:page-1:u2"), Sent(b"1")]
    )
    await publish(
        kafka_settings, topics["notifications"], [Sent(about, b"agent:lan"), Sent(b"{}", b"agent:lan")]
    )
    await publish(kafka_settings, topics["assignments"], [Sent(about, KEY.encode())])
    found = {one.topic: one for one in await left_in_topics(kafka_settings, KEY, conversation)}
    assert {topic: one.records for topic, one in found.items() if one.records} == {
        "inbound": 2,
        "notifications": 1,
        "assignments": 1,
    }
    inbound = found["inbound"]
    assert inbound.gone_at is not None
    assert inbound.last_at is not None
    assert inbound.gone_at - inbound.last_at == timedelta(days=8)
    assert found["assignments"].gone_at is None
    await expire(kafka_settings, [topics["inbound"], topics["notifications"]])
    left = await left_in_topics(kafka_settings, KEY, conversation)
    assert {one.topic for one in left if one.records} == {"assignments"}


PAGE, PERSON = "104857600012345", "7654321"
HIS = f"messenger:{PAGE}:{PERSON}"


@pytest.mark.parametrize(
    ("topic", "origin", "value", "is_his"),
    [
        (DEADLETTER, "ingress/messenger", {"id": PAGE, "messaging": [{"sender": {"id": PERSON}}]}, True),
        (DEADLETTER, "ingress/messenger", {"id": int(PAGE), "sender": int(PERSON)}, True),
        (DEADLETTER, "ingress/messenger", {"id": PAGE, "sender": f"{PERSON}0"}, False),
        (DEADLETTER, "ingress/messenger", {"id": "1", "sender": PERSON}, False),
        (DEADLETTER, "ingress/fchat", {"user_id": PERSON, "text": []}, True),
        (DEADLETTER, "inbound", {"id": PAGE, "sender": PERSON}, False),
        (DEADLETTER, "inbound", {"key": HIS}, True),
        (INBOUND, "", {"id": PAGE, "sender": PERSON}, False),
        (OUTCOMES, "", {"conversation": str(conversation_id(HIS)), "result": {"phone": "1"}}, True),
    ],
)
def test_a_webhook_that_nobody_could_read_is_found_by_page_and_person(
    topic: Topic, origin: str, value: dict[str, object], is_his: bool
) -> None:
    record = SimpleNamespace(
        key=None, value=orjson.dumps(value), headers=[("deadletter_topic", origin.encode())]
    )
    assert Named(HIS, conversation_id(HIS)).by(topic, cast("ConsumerRecord", record)) is is_his


def test_what_is_left_is_told_with_its_end() -> None:
    assert told(Left("inbound", 2, AT, AT, AT + timedelta(days=8)), AT) == (
        "inbound: 2 records, gone by 2026-11-30 08:00 UTC (in 8.0 days)"
    )
    assert "kept for ever" in told(Left("assignments", 1, AT, AT, None))
    assert told(Left("receipts", 0, None, None, None)) == "receipts: nothing"


def test_what_there_is_is_told_to_people_and_to_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    conversation = PostgresUuid(str(conversation_id(KEY)))  # as the driver gives it
    found = Found("acme", conversation, KEY, 7, 1, 0, 2, 1, 0, 3, "cli:\x1b[2J", AT, None)
    said = command._told(found, None)
    assert "7 lines" in said
    assert "3 orders, and the profile" in said
    assert "is not done yet" in said
    assert said.isprintable()
    print_json(command._as_json(found, 7))
    assert orjson.loads(capsys.readouterr().out)["conversation"] == str(conversation)
