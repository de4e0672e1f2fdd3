"""`tongdai recover` after a loss: asks desks once more about those who waited for an answer on a lost log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from config.errors import DependencyError
from config.settings import Settings
from config.topics import COMMANDS
from schemas.base import rfc3339
from schemas.commands import Route
from schemas.envelope import headers
from schemas.ids import desk_key
from workers.channels.producer import open_producer
from workers.routing.intake.asking_again import unanswered
from workers.routing.intake.routing import ROUTE
from workers.runtime.postgres import connected

SOURCE = "tongdai/cli"


async def ask_again(settings: Settings) -> int:
    """Ask desks about every customer who waits and whom they do not know of; returns how many there were.

    Safe to repeat: a desk opens no session twice. Raises DependencyError when Kafka does not acknowledge.
    """
    topic, deadline_s = COMMANDS.full_name(settings.kafka.topic_prefix), settings.runtime.kafka_deadline_s
    asked, last = 0, None
    try:
        async with (
            connected(settings, "tongdai recover") as connection,
            open_producer(settings, [topic]) as producer,
        ):
            while routes := await unanswered(connection, last):
                last = routes[-1]
                async with asyncio.timeout(deadline_s):
                    await _send(producer, topic, routes)
                asked += len(routes)
    except (KafkaError, TimeoutError) as error:
        raise DependencyError(
            f"Kafka did not acknowledge after desks had been asked about {asked} customers: "
            "repeat `tongdai recover --all --accept-loss`, which asks about the others"
        ) from error
    return asked


async def _send(producer: AIOKafkaProducer, topic: str, routes: Sequence[Route]) -> None:
    """Publish them, in their order, and wait until Kafka has them."""
    time, sent = rfc3339(datetime.now(UTC)), []
    for route in routes:
        key, value = desk_key(route.workspace, route.desk), route.model_dump_json(exclude_none=True).encode()
        named = headers(ROUTE, id_=uuid4(), source=SOURCE, subject=key, time=time)
        sent.append(await producer.send(topic, value, key=key.encode(), headers=named))
    await asyncio.gather(*sent)
