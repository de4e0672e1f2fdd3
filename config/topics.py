"""The catalogue of topics: what each is called, keyed by, split into, and how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from config.kafka import KafkaSettings

PartitionGroup = Literal["conversation", "desk", "deadletter"]

DAY_MS = 24 * 60 * 60 * 1000
SEGMENT_MS = DAY_MS
"""Kafka takes away whole segments of a log: what is kept for 7 days is gone after 8, and not after 14."""
MAX_MESSAGE_BYTES = 1_048_576
"""The size limit of every topic but deadletter, as Kafka counts it: a batch with its headers."""

DEADLETTER_EXTRA_BYTES = 65_536
"""A dead letter of the largest record still has room for the reasons in its headers."""

DEADLETTER_PARTITIONS = 6


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic. `retention_ms` None means for ever; nothing is ever compacted.

    Topics of one group have the same number of partitions, so that one key has one partition number in all.
    """

    name: str
    key: str
    group: PartitionGroup
    retention_ms: int | None
    log_append_time: bool = False
    max_message_bytes: int = MAX_MESSAGE_BYTES

    def full_name(self, prefix: str) -> str:
        """Return the name on Kafka: `tongdai.inbound.v1`."""
        return f"{prefix}.{self.name}.v1"

    def partitions(self, kafka: KafkaSettings) -> int:
        """Return how many partitions the topic is made with."""
        return {
            "conversation": kafka.conversation_partitions,
            "desk": kafka.desk_partitions,
            "deadletter": DEADLETTER_PARTITIONS,
        }[self.group]

    def configs(self, kafka: KafkaSettings) -> dict[str, str]:
        """Return the topic's configuration in Kafka's own words."""
        segment = {} if self.retention_ms is None else {"segment.ms": str(SEGMENT_MS)}
        return segment | {
            "cleanup.policy": "delete",
            "compression.type": "producer",
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
            "min.insync.replicas": str(kafka.min_insync_replicas),
            "retention.bytes": "-1",
            "retention.ms": "-1" if self.retention_ms is None else str(self.retention_ms),
        }


# The broker's clock orders and dates what the desk and intake decide upon: LogAppendTime.
INBOUND = Topic(
    name="inbound", key="conversation", group="conversation", retention_ms=7 * DAY_MS, log_append_time=True
)
ACTIONS = Topic(
    name="actions", key="conversation", group="conversation", retention_ms=7 * DAY_MS, log_append_time=True
)
ASSIGNMENTS = Topic(name="assignments", key="conversation", group="conversation", retention_ms=None)
MESSAGES = Topic(name="messages", key="conversation", group="conversation", retention_ms=7 * DAY_MS)
OUTBOUND = Topic(name="outbound", key="conversation", group="conversation", retention_ms=7 * DAY_MS)
RECEIPTS = Topic(name="receipts", key="conversation", group="conversation", retention_ms=7 * DAY_MS)
COMMANDS = Topic(name="commands", key="desk", group="desk", retention_ms=None, log_append_time=True)
ROSTER = Topic(name="roster", key="agent", group="desk", retention_ms=None)
NOTIFICATIONS = Topic(name="notifications", key="agent or audience", group="desk", retention_ms=7 * DAY_MS)
OUTCOMES = Topic(name="outcomes", key="agent, service or cli", group="desk", retention_ms=30 * DAY_MS)
DEADLETTER = Topic(
    name="deadletter",
    key="original",
    group="deadletter",
    retention_ms=30 * DAY_MS,
    max_message_bytes=MAX_MESSAGE_BYTES + DEADLETTER_EXTRA_BYTES,
)

CATALOGUE: tuple[Topic, ...] = (
    INBOUND,
    ACTIONS,
    ASSIGNMENTS,
    MESSAGES,
    OUTBOUND,
    RECEIPTS,
    COMMANDS,
    ROSTER,
    NOTIFICATIONS,
    OUTCOMES,
    DEADLETTER,
)
