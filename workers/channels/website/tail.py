"""Hears from Kafka what concerns visitors who are here: messages, how answers stand, what is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson
from aiokafka import TopicPartition

from config.settings import Settings
from config.topics import MESSAGES, RECEIPTS
from schemas.envelope import Kind, header
from schemas.ids import conversation_id
from workers.channels.consumer import interrupted, reading_on
from workers.channels.website.hub import Hub
from workers.channels.website.records import CHANNEL
from workers.channels.website.teller import Teller

CLIENT = "tongdai-website"
_OURS = f"{CHANNEL}:".encode()
_STORED = Kind(MESSAGES.name, "stored").ce_type.encode()
_READ = Kind(MESSAGES.name, "read").ce_type.encode()
_DELIVERY = Kind(RECEIPTS.name, "delivery").ce_type.encode()


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
            async with interrupted("website_tail"):
                await reading_on(
                    self._settings, CLIENT, self._topics, self._positions, self.take, self._begin
                )

    def _begin(self) -> None:
        """Who came before this reader was there may lack what was stored meanwhile."""
        self._teller.wake(self._hub.conversations())

    async def take(self, records: Sequence[Any]) -> None:
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
