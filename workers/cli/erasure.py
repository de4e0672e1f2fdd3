"""Erasing one customer: what there is of him, the record that asks for it, and the wait until it is gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

from aiokafka.errors import KafkaError

from config.errors import DependencyError, TongdaiError, UsageError
from config.settings import Settings
from config.topics import ACTIONS
from schemas.actions import Erase
from schemas.base import rfc3339
from schemas.envelope import Kind, headers
from schemas.outcomes import Refused
from workers.channels.producer import open_producer
from workers.gateway import erasure
from workers.gateway.erasure import Found
from workers.runtime.handler import Connection
from workers.workspace.outcome_reader import OutcomeReader

ERASE = Kind("actions", "erase")
SOURCE = "tongdai/cli"
DEADLINE_S = 60.0
"""For the outcome, and as long again until all is taken away."""
POLL_S = 0.5
IS_DONE = """
SELECT done_at IS NOT NULL FROM erasure
WHERE workspace_id = $1 AND conversation_id = $2 AND position >= $3
"""


async def find(connection: Connection, workspace: str, customer: str) -> Found:
    """The customer with this key (`channel:account:user`) or id. Raises UsageError when there is none."""
    found = await erasure.find(connection, workspace, customer, _uuid(customer))
    if found is None:
        raise UsageError(f"the workspace {workspace} has no customer {customer}")
    return found


async def erase(settings: Settings, connection: Connection, found: Found) -> int:
    """Have the customer erased; up to which position of his transcript.

    Raises DependencyError when Kafka does not take it, TongdaiError when nobody does it in time; then it may
    be repeated.
    """
    action = Erase(
        workspace=found.workspace,
        conversation=found.conversation,
        key=found.key,
        actor=f"cli:{uuid4()}",
        idempotency_key=str(uuid4()),
        authority="admin",
    )
    reader = OutcomeReader(settings, action.actor)
    try:
        async with asyncio.timeout(DEADLINE_S):
            await reader.start()
            await _send(settings, action)
            outcome = (await reader.wait_for({action.idempotency_key}))[action.idempotency_key]
    except KafkaError as error:
        raise DependencyError(f"Kafka did not take it: {error!r}; repeat") from error
    except TimeoutError as error:
        raise TongdaiError("no outcome came in time: is a routing worker running? Repeat") from error
    finally:
        await reader.stop()
    if isinstance(outcome, Refused):
        raise TongdaiError(f"refused: {outcome.sentence}")
    position = int(outcome.result["position"])
    await _wait(connection, found, position)
    return position


async def _wait(connection: Connection, found: Found, position: int) -> None:
    of = found.workspace, found.conversation
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not await connection.fetchval(IS_DONE, *of, position):  # noqa: ASYNC110 - in Postgres
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise TongdaiError(
            "it is on its way, and not all is taken away yet: without --yes it tells how far it is. "
            "What waits to be sent, and files, need a delivery worker"
        ) from error


async def _send(settings: Settings, action: Erase) -> None:
    named = headers(
        ERASE,
        id_=action.idempotency_key,
        source=SOURCE,
        subject=action.key,
        time=rfc3339(datetime.now(UTC)),
    )
    topic = ACTIONS.full_name(settings.kafka.topic_prefix)
    value = action.model_dump_json(exclude_none=True).encode()
    try:
        async with open_producer(settings, [topic]) as producer:
            await producer.send_and_wait(topic, value, key=action.key.encode(), headers=named)
    except TimeoutError as error:
        raise DependencyError("Kafka does not answer; repeat") from error


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
