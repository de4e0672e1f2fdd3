"""Reads notifications as a gateway would, and notes when each arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time
from typing import Any, Literal

import orjson
from aiokafka import AIOKafkaConsumer

from bench.crowd import number_of
from bench.failures import BenchError
from bench.progress import partitions
from bench.traffic import Traffic
from config.settings import Settings
from config.topics import NOTIFICATIONS
from schemas.envelope import Kind, header

Way = Literal["held", "new", "bare"]
"""A message of a held conversation, a conversation's first one, one that bare hops sent on."""

_WAYS: dict[bytes | None, Way] = {
    Kind("notifications", "message").ce_type.encode(): "held",
    Kind("notifications", "assigned").ce_type.encode(): "new",
    Kind("inbound", "message").ce_type.encode(): "bare",
}
CATCH_UP_S = 60.0


class Arrivals:
    """When the notice of each message arrived. `told` hears each conversation key that has its agent."""

    def __init__(self, traffic: Traffic, told: Callable[[str], None]) -> None:
        self._traffic = traffic
        self._told = told
        self._arrived: dict[int, tuple[Way, float]] = {}
        self._more = asyncio.Event()

    async def listen(self, settings: Settings) -> None:
        """Note whatever becomes readable with `read_committed`, until cancelled."""
        consumer = AIOKafkaConsumer(
            **settings.kafka.client_options(), isolation_level="read_committed", enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign(partitions(settings, NOTIFICATIONS))
            await consumer.seek_to_beginning()
            while True:
                fetched = await consumer.getmany(timeout_ms=1_000)
                arrived_ms = time() * 1000
                for records in fetched.values():
                    for record in records:
                        way = _WAYS.get(header(record.headers, "ce_type"))
                        if way is not None:
                            self._note(way, orjson.loads(record.value), arrived_ms)
        finally:
            await consumer.stop()

    async def caught_up(self) -> None:
        """Wait until every message that was sent has arrived. Raises BenchError when that takes too long."""
        try:
            async with asyncio.timeout(CATCH_UP_S):
                while len(self._arrived) < self._traffic.sent:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            missing = self._traffic.sent - len(self._arrived)
            raise BenchError(f"{missing} of {self._traffic.sent} messages never arrived") from None

    def latencies_ms(self, since: int) -> dict[Way, list[float]]:
        """From the log's append to the arrival, of the messages from this number on, in milliseconds."""
        found: dict[Way, list[float]] = {}
        for number, (way, arrived_ms) in self._arrived.items():
            if number >= since:
                found.setdefault(way, []).append(arrived_ms - self._traffic.appended_ms[number])
        return found

    def _note(self, way: Way, value: dict[str, Any], arrived_ms: float) -> None:
        if way == "bare":
            number = number_of(value["text"])
            self._told(f"{value['channel']}:{value['account']}:{value['user']}")
        elif way == "new":
            number = self._traffic.first_of[value["key"]]
            self._told(value["key"])
        else:
            number = number_of(value["message"]["text"])
        if number in self._arrived:
            raise BenchError(f"the notice of message {number} arrived twice")
        self._arrived[number] = (way, arrived_ms)
        self._more.set()
