"""Records on Kafka as workers publish them: in transactions, some of which fail."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from config.settings import Settings
from schemas.envelope import Headers


class Sent(NamedTuple):
    """One record to be published."""

    value: bytes
    key: bytes | None = b"messenger:page-1:u1"
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**settings.kafka.client_options(), transactional_id=uuid.uuid4().hex)
    await producer.start()
    yield producer
    await producer.stop()


async def publish(settings: Settings, topic: str, records: Sequence[Sent], *, fail: bool = False) -> None:
    """Publish the records in one transaction, which is aborted if it is to fail."""
    async with _producer(settings) as producer:
        await producer.begin_transaction()
        for record in records:
            headers: Headers = list(record.headers)
            await producer.send_and_wait(
                topic, record.value, key=record.key, headers=headers, partition=record.partition
            )
        await (producer.abort_transaction() if fail else producer.commit_transaction())


async def read_all(settings: Settings, topic: str, count: int) -> list[ConsumerRecord]:
    """The first `count` committed records of a topic; waits for them."""
    consumer = AIOKafkaConsumer(
        topic,
        **settings.kafka.client_options(),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    records = [await consumer.getone() for _ in range(count)]
    await consumer.stop()
    return records
