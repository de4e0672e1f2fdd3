"""In which phase of a run something went wrong: that in which what a witness names was written."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from checker.murmur2 import partition_of
from faults.ground import PREFIX, Ground
from faults.town import DESK_KEY

READ_S = 10.0
_RECORD = re.compile(r"\b([a-z]+) partition (\d+), offset (\d+)")
_COMMAND = re.compile(r"\b(?:command|of agent-\d+) at offset (\d+)")


class Place(NamedTuple):
    """Of a record."""

    topic: str
    partition: int
    offset: int


async def blame(ground: Ground, checks: Sequence[dict[str, Any]], began_ms: Sequence[int]) -> None:
    """Write into each check that does not hold the number of its `phase`; none when that is not known."""
    for check in checks:
        if check["holds"] is not False:
            continue
        place = place_of(check["witness"], ground.partitions)
        written_ms = await _written_ms(ground.servers, place) if place else None
        check["phase"] = None if written_ms is None else phase_at(written_ms, began_ms)


def place_of(witness: str, partitions: dict[str, int]) -> Place | None:
    """The first record that a witness names; of a command it says only where it lies on its desk's log."""
    if found := _RECORD.search(witness):
        topic, partition, offset = found.groups()
        return Place(topic, int(partition), int(offset)) if topic in partitions else None
    if found := _COMMAND.search(witness):
        return Place("commands", partition_of(DESK_KEY.encode(), partitions["commands"]), int(found[1]))
    return None


def phase_at(written_ms: int, began_ms: Sequence[int]) -> int:
    """The number of the last phase that began before; what was written before the first one is of that."""
    return max(0, bisect_right(began_ms, written_ms) - 1)


async def _written_ms(servers: str, place: Place) -> int | None:
    """When it was written, by Kafka's clock; none when Kafka does not say."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    part = TopicPartition(f"{PREFIX}.{place.topic}.v1", place.partition)
    try:
        async with asyncio.timeout(READ_S):
            await consumer.start()
            consumer.assign([part])
            consumer.seek(part, place.offset)
            return int((await consumer.getone()).timestamp)
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await consumer.stop()
