"""The topics as the brokers have them: partition counts, and where a key belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from aiokafka.partitioner import murmur2

from config.topics import CATALOGUE
from workers.runtime.failures import TopologyError

EVENT_OVERHEAD_BYTES = 512
"""What a record batch of one record may need beyond key, value and headers."""

MAX_BYTES = {topic.name: topic.max_message_bytes - EVENT_OVERHEAD_BYTES for topic in CATALOGUE}
"""The largest event that each topic takes, in bytes."""


@lru_cache(maxsize=65_536)
def hashed(key: bytes) -> int:
    """Kafka's own partitioner: aiokafka's and Java's default."""
    found: int = murmur2(key) & 0x7FFFFFFF
    return found


@dataclass(frozen=True, slots=True)
class Topology:
    """Topics with their full names and partition counts, by short name."""

    prefix: str
    partitions: dict[str, int]
    ids: dict[str, str] = field(default_factory=dict)
    """What Kafka calls each topic: another one when it was made again under its name."""

    def full_name(self, topic: str) -> str:
        """`inbound` → `tongdai.inbound.v1`."""
        return f"{self.prefix}.{topic}.v1"

    def short_name(self, full_name: str) -> str:
        """`tongdai.inbound.v1` → `inbound`."""
        return full_name.removeprefix(f"{self.prefix}.").removesuffix(".v1")

    def partition(self, topic: str, key: bytes) -> int:
        """Where records with this key belong."""
        return hashed(key) % self.partitions[topic]

    def lanes(self, inputs: Sequence[str]) -> int:
        """How many lanes these inputs make.

        Raises TopologyError when one is missing or they have unequal partition counts.
        """
        counts = {topic: self.partitions.get(topic, 0) for topic in inputs}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            told = ", ".join(f"{self.full_name(topic)} has {count}" for topic, count in counts.items())
            raise TopologyError(
                f"these topics must have the same number of partitions, but {told}; "
                "run `tongdai topics apply`"
            )
        return counts[inputs[0]]
