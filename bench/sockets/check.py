"""What lies on the topics afterwards must say the same as the agents were told."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import orjson
from aiokafka import AIOKafkaConsumer

from bench.failures import BenchError
from bench.progress import partitions
from bench.roster import WORKSPACE
from bench.sockets.member import Told
from bench.sockets.people import FREE
from config.settings import Settings
from config.topics import ACTIONS, ASSIGNMENTS, COMMANDS, NOTIFICATIONS, OUTCOMES
from schemas.envelope import read_kind
from schemas.ids import audience_key
from workers.local.demo.acts import Acts

READ_DEADLINE_S = 600.0
_TOPICS = (COMMANDS, ACTIONS, ASSIGNMENTS, OUTCOMES, NOTIFICATIONS)


class Seen:
    """What the topics say of agents' commands, and to whom conversations were announced."""

    def __init__(self) -> None:
        self.acts = Acts()
        self._announced: dict[str, set[str]] = {}
        """Keys of notifications by conversation."""

    async def read(self, settings: Settings) -> None:
        """Read all that is committed. Raises TimeoutError."""
        places = {place: topic.name for topic in _TOPICS for place in partitions(settings, topic)}
        consumer = AIOKafkaConsumer(
            **settings.kafka.client_options(), isolation_level="read_committed", enable_auto_commit=False
        )
        async with asyncio.timeout(READ_DEADLINE_S):
            await consumer.start()
            try:
                consumer.assign(list(places))
                await consumer.seek_to_beginning()
                ends = await consumer.end_offsets(list(places))
                while any([await consumer.position(place) < end for place, end in ends.items()]):
                    for place, records in (await consumer.getmany(timeout_ms=200)).items():
                        for record in records:
                            what = read_kind(record.headers, places[place]).what
                            self._see(places[place], record.key, what, orjson.loads(record.value))
            finally:
                await consumer.stop()

    def _see(self, topic: str, key: bytes, what: str, value: Mapping[str, object]) -> None:
        if topic == NOTIFICATIONS.name:
            self._announced.setdefault(str(value["conversation"]), set()).add(key.decode())
        else:
            self.acts.see(topic, what, value)

    def check(self, told: Sequence[Told], raced: Collection[str], rule: str) -> None:
        """Everything that agents were told is so, of all that they asked. Raises BenchError."""
        acts, known = self.acts, {(f"agent:{WORKSPACE}/{one.agent}", one.key): one.code for one in told}
        _expect_none("calls without an outcome", acts.without_outcome(known))
        _expect_none("calls with two outcomes", acts.repeated_outcomes())
        _expect_none("agents who were told otherwise than their outcome says", acts.mistold(known, ()))
        _expect_none("conversations with other than one winner", acts.wrong_races())
        _expect_none("outcomes that nobody was told", acts.outcomes - len(known))
        _expect_none("claims that nobody won", len(raced) - acts.claims)
        audience = audience_key(WORKSPACE, f"rule:{rule}/0")
        for conversation in raced:
            audiences = {key for key in self._announced[conversation] if not key.startswith("agent:")}
            wrong = audiences - {audience, audience_key(WORKSPACE, f"page:{FREE}")}
            if wrong or audience not in audiences:
                raise BenchError(f"{conversation} was announced to {sorted(audiences)}")


def _expect_none(what: str, count: int) -> None:
    if count:
        raise BenchError(f"{what}: {count}")
