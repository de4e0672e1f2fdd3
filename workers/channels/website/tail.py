"""Hears from Kafka what concerns visitors who are here: messages, how answers stand, what is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from config.logging import get_logger
from config.settings import Settings
from config.topics import MESSAGES, RECEIPTS
from schemas.envelope import Kind, header
from schemas.ids import conversation_id
from workers.channels.consumer import consuming, go_on
from workers.channels.website.hub import Hub
from workers.channels.website.records import CHANNEL
from workers.channels.website.teller import Teller

CLIENT = "tongdai-website"
POLL_MS = 500
RECONNECT_S = 1.0
_OURS = f"{CHANNEL}:".encode()
_STORED = Kind(MESSAGES.name, "stored").ce_type.encode()
_READ = Kind(MESSAGES.name, "read").ce_type.encode()
_DELIVERY = Kind(RECEIPTS.name, "delivery").ce_type.encode()

_log = get_logger(__name__)


class Tail:
    """The one reader of an ingress; what goes wrong with Kafka makes it begin again where it was."""

    def __init__(self, settings: Settings, hub: Hub, teller: Teller) -> None:
        self._settings = settings
        self._hub = hub
        self._teller = teller
        prefix = settings.kafka.topic_prefix
        self._topics = [topic.full_name(prefix) for topic in (MESSAGES, RECEIPTS)]
        self._positions: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self._read()
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("website_tail_interrupted", error=error)
            await asyncio.sleep(RECONNECT_S)

    async def _read(self) -> None:
        async with consuming(self._settings, CLIENT) as consumer:
            self._positions = await go_on(consumer, self._topics, self._positions)
            # Who came before this reader was there may lack what was stored meanwhile.
            self._teller.wake(self._hub.conversations())
            while True:
                for partition, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                    self.take(records)
                    self._positions[partition] = records[-1].offset + 1

    def take(self, records: Sequence[Any]) -> None:
        """Pass on what concerns somebody here; most does not, as the key says."""
        for record in records:
            key = record.key or b""
            if self._hub.count and key.startswith(_OURS):
                conversation = conversation_id(key.decode(errors="replace"))
                if self._hub.tabs(conversation):
                    # A shape that this version does not know is passed over.
                    with suppress(ValueError, KeyError, TypeError):
                        self._pass_on(conversation, header(record.headers, "ce_type"), record.value)

    def _pass_on(self, conversation: UUID, kind: bytes | None, value: bytes) -> None:
        """Raises ValueError, KeyError, TypeError when the value is none of ours."""
        if kind == _STORED:
            self._teller.wake((conversation,))
        elif kind == _DELIVERY:
            self._send(conversation, "state", orjson.loads(value), "message", "state")
        elif kind == _READ:
            self._send(conversation, "read", orjson.loads(value), "position")

    def _send(self, conversation: UUID, event: str, said: Mapping[str, object], *names: str) -> None:
        told = {name: said[name] for name in names}
        for tab in self._hub.tabs(conversation):
            tab.send(event, **told)
