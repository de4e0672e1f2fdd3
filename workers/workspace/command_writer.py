"""Publishes `configure` commands: one per desk, acknowledged by all replicas."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from config.errors import DependencyError, TongdaiError
from config.settings import Settings
from config.topics import COMMANDS, MAX_MESSAGE_BYTES
from schemas.base import rfc3339
from schemas.commands import Configure
from schemas.envelope import Kind, headers
from schemas.ids import desk_key
from workers.channels.producer import open_producer
from workers.workspace.workspace import DeskRoster

CONFIGURE = Kind("commands", "configure")
SOURCE = "tongdai/cli"
_ENVELOPE_BYTES = 4_096
"""Room for key, headers and the batch around the value."""


class Sent(NamedTuple):
    """A command on the log, and where."""

    command: Configure
    topic: str
    partition: int
    offset: int


def configure_command(
    workspace: str, roster: DeskRoster, actor: str, version: int | None = None
) -> Configure:
    """Return the command that makes a desk what `roster` says, if it still has the `version` that was read.

    Raises TongdaiError when it is larger than a record may be.
    """
    command = Configure(
        workspace=workspace,
        desk=roster.id,
        actor=actor,
        idempotency_key=str(uuid4()),
        agents=roster.agents,
        departments=roster.departments,
        pages=roster.pages,
        rules=roster.rules,
        policy=roster.policy,
        version=version,
    )
    size_bytes = len(_value(command))
    if size_bytes > MAX_MESSAGE_BYTES - _ENVELOPE_BYTES:
        raise TongdaiError(
            f"the roster of the desk {roster.id} takes {size_bytes} bytes, more than the "
            f"{MAX_MESSAGE_BYTES - _ENVELOPE_BYTES} of one command: split it into several desks"
        )
    return command


async def send(settings: Settings, commands: list[Configure]) -> list[Sent]:
    """Publish `commands` in their order.

    Raises DependencyError when Kafka does not acknowledge in time: then it is unknown whether it has them.
    """
    topic, deadline_s = COMMANDS.full_name(settings.kafka.topic_prefix), settings.runtime.kafka_deadline_s
    try:
        async with open_producer(settings, [topic]) as producer, asyncio.timeout(deadline_s):
            return [await _send(producer, topic, command) for command in commands]
    except (KafkaError, TimeoutError) as error:
        raise DependencyError(
            f"Kafka at {settings.kafka.bootstrap_servers} did not acknowledge within {deadline_s:g} s "
            f"({error or 'no answer'}): run the same again, it is safe to repeat"
        ) from error


async def _send(producer: AIOKafkaProducer, topic: str, command: Configure) -> Sent:
    key = desk_key(command.workspace, command.desk)
    time = rfc3339(datetime.now(UTC))
    named = headers(CONFIGURE, id_=command.idempotency_key, source=SOURCE, subject=key, time=time)
    place = await producer.send_and_wait(topic, _value(command), key=key.encode(), headers=named)
    return Sent(command, topic, place.partition, place.offset)


def _value(command: Configure) -> bytes:
    return command.model_dump_json(exclude_none=True).encode()
