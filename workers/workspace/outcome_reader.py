"""Waits for the outcomes of commands: reads the whole topic without a group, from where it ends now."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import ValidationError

from config.errors import DependencyError
from config.settings import Settings
from config.topics import OUTCOMES
from schemas.catalogue import RECORDS
from schemas.envelope import UnreadableEnvelopeError, read_kind
from schemas.outcomes import Done, Refused
from workers.runtime.ending import end_consumer

Outcomes = Mapping[str, Done | Refused]
"""By idempotency key."""


class OutcomeReader:
    """Start it before the commands are sent: what was on the topic until then is not read."""

    def __init__(self, settings: Settings, actor: str) -> None:
        self._options = settings.kafka.client_options()
        self._topic = OUTCOMES.full_name(settings.kafka.topic_prefix)
        self._actor = actor
        self._found: dict[str, Done | Refused] = {}
        self._consumer = AIOKafkaConsumer(
            **self._options,
            client_id="tongdai-cli",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
        )

    async def start(self) -> None:
        """Start reading at the end of every partition. Raises DependencyError when the topic is missing."""
        await self._consumer.start()
        await self._seek_to_end()

    async def stop(self) -> None:
        """Let go, also when Kafka is gone; what was found stays."""
        await end_consumer(self._consumer)

    async def _seek_to_end(self) -> None:
        partitions = [TopicPartition(self._topic, number) for number in await self._partitions()]
        self._consumer.assign(partitions)
        for partition, offset in (await self._consumer.end_offsets(partitions)).items():
            self._consumer.seek(partition, offset)

    async def _partitions(self) -> list[int]:
        """Return the topic's partitions; all topics are asked for, since asking by name may create it."""
        admin = AIOKafkaAdminClient(**self._options)
        try:
            await admin.start()
            topics = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
        finally:
            await admin.close()
        if self._topic not in topics:
            raise DependencyError(f"Kafka has no topic {self._topic}: run tongdai topics apply first")
        return [partition["partition"] for partition in topics[self._topic]]

    async def wait_for(self, keys: set[str]) -> Outcomes:
        """Return the outcomes of the commands with these idempotency keys; the deadline is the caller's."""
        while keys - self._found.keys():
            record = await self._consumer.getone()
            if record.key == self._actor.encode():
                self._take(record.headers, record.value)
        return self._found

    @property
    def found(self) -> Outcomes:
        """What has come so far."""
        return self._found

    def _take(self, headers: tuple[tuple[str, bytes], ...], value: bytes) -> None:
        """Keep an outcome of ours; a kind or a shape that this version does not know is passed over."""
        try:
            model = RECORDS.get(read_kind(headers, OUTCOMES.name))
            outcome = model.model_validate_json(value) if model else None
        except (UnreadableEnvelopeError, ValidationError):
            return
        if isinstance(outcome, Done | Refused):
            self._found[outcome.idempotency_key] = outcome
