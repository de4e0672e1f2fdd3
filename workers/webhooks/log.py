"""The topics that can be chosen, and how they are read: a bounded amount at a time."""

from __future__ import annotations

from aiokafka import TopicPartition

from config.settings import Settings
from workers.webhooks.event import Place
from workers.webhooks.selection import TOPICS

CLIENT = "tongdai-webhooks"
PARTITION_BYTES = 262_144
"""Fetched ahead of each partition; a larger record comes alone."""


class Names:
    """Full names of topics, and back."""

    def __init__(self, settings: Settings) -> None:
        self._full = {name: topic.full_name(settings.kafka.topic_prefix) for name, topic in TOPICS.items()}
        self._short = {full: name for name, full in self._full.items()}

    def partition(self, place: Place) -> TopicPartition:
        """As aiokafka has it."""
        return TopicPartition(self._full[place.topic], place.partition)

    def place(self, partition: TopicPartition) -> Place:
        """As we have it."""
        return Place(self._short[partition.topic], partition.partition)

    @property
    def full(self) -> tuple[str, ...]:
        """All of them, as Kafka has them."""
        return tuple(self._short)
