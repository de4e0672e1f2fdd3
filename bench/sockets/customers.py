"""New customers who write to a page."""

from __future__ import annotations

import time
from random import Random
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer

from bench.workload import SEED, Customer, said
from config.settings import Settings
from config.topics import INBOUND
from schemas.ids import conversation_id_text
from workers.local.simulator.people import invent_name, invent_text


class Customers:
    """Each writes once."""

    def __init__(self, settings: Settings) -> None:
        self._topic = INBOUND.full_name(settings.kafka.topic_prefix)
        self._producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all")
        self._random = Random(SEED)  # noqa: S311  invented people
        self._count = 0

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def write(self, page: str) -> str:
        """A new one writes to `page`, and Kafka has it; returns the conversation."""
        self._count += 1
        customer = Customer(page, f"customer-{self._count:06}", invent_name(self._random))
        text = invent_text(self._random, customer.name, 0)
        record = said(customer, f"m-{self._count}", text, int(time.time() * 1000), opens=True)
        await self._producer.send_and_wait(
            self._topic, value=record.value, key=record.key, headers=record.headers
        )
        return conversation_id_text(customer.key)
