"""Puts a backlog on inbound before the clock starts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.workload import Said
from config.settings import Settings
from config.topics import INBOUND
from workers.runtime.topology import Topology

BATCH_BYTES = 262_144
IN_FLIGHT_MAX = 64
"""Record batches that are handed over and not acknowledged."""


async def preload(settings: Settings, said: Iterable[Said]) -> int:
    """Append all of `said` to inbound, each where its key belongs; returns how many there were."""
    producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all", max_batch_size=BATCH_BYTES)
    await producer.start()
    try:
        loader = _Loader(producer, INBOUND.full_name(settings.kafka.topic_prefix), settings)
        count = 0
        for one in said:
            await loader.add(one)
            count += 1
        await loader.finish()
    finally:
        await producer.stop()
    return count


class _Loader:
    """Fills a record batch per partition: a third of the time of `send()`."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, settings: Settings) -> None:
        self._producer = producer
        self._topic = topic
        self._topology = Topology("", {"inbound": INBOUND.partitions(settings.kafka)})
        self._builders: dict[int, BatchBuilder] = {}
        self._sending: list[asyncio.Future[object]] = []

    async def add(self, one: Said) -> None:
        partition = self._topology.partition("inbound", one.key)
        builder = self._builders.get(partition)
        if builder is not None and _append(builder, one):
            return
        if builder is not None:
            await self._send(partition, builder)
        self._builders[partition] = builder = self._producer.create_batch()
        _append(builder, one)

    async def finish(self) -> None:
        for partition, builder in self._builders.items():
            await self._send(partition, builder)
        await asyncio.gather(*self._sending)

    async def _send(self, partition: int, builder: BatchBuilder) -> None:
        builder.close()
        self._sending.append(await self._producer.send_batch(builder, self._topic, partition=partition))
        if len(self._sending) >= IN_FLIGHT_MAX:
            await asyncio.gather(*self._sending)
            self._sending.clear()


def _append(builder: BatchBuilder, one: Said) -> bool:
    return builder.append(timestamp=None, key=one.key, value=one.value, headers=one.headers) is not None
