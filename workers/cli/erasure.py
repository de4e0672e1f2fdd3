"""Erasing one customer: what there is of him, the record that asks for it, and the wait until it is gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from config.errors import DependencyError, TongdaiError, UsageError
from config.settings import Settings
from config.topics import ACTIONS
from schemas.actions import Erase
from schemas.base import rfc3339
from schemas.envelope import Kind, headers
from schemas.outcomes import Refused
from workers.runtime.handler import Connection
from workers.workspace.outcome_reader import OutcomeReader

ERASE = Kind("actions", "erase")
SOURCE = "tongdai/cli"
DEADLINE_S = 60.0
"""For the outcome, and as long again until all is taken away."""
POLL_S = 0.5
FIND = """
SELECT c.workspace_id, c.conversation_id, c.key,
    (SELECT count(*) FROM message m WHERE m.workspace_id = c.workspace_id
        AND m.conversation_id = c.conversation_id AND m.kind <> 'log'
        AND m.code IS DISTINCT FROM 'erased') AS lines,
    (SELECT count(*) FROM message_mark k WHERE k.workspace_id = c.workspace_id
        AND k.conversation_id = c.conversation_id) AS marks,
    (SELECT count(*) FROM ticket t WHERE t.workspace_id = c.workspace_id
        AND t.conversation_id = c.conversation_id AND (t.subject <> '' OR t.fields <> '{}')) AS tickets,
    (SELECT count(*) FROM file f WHERE f.workspace_id = c.workspace_id
        AND f.conversation_id = c.conversation_id AND f.reason IS DISTINCT FROM 'erased') AS files
FROM conversation c
WHERE c.workspace_id = $1 AND (c.key = $2 OR c.conversation_id = $3)
"""
IS_DONE = """
SELECT done_at IS NOT NULL FROM erasure
WHERE workspace_id = $1 AND conversation_id = $2 AND position >= $3
"""


class Found(NamedTuple):
    """A customer by his conversation, and how much there is of him."""

    workspace: str
    conversation: UUID
    key: str
    lines: int
    marks: int
    tickets: int
    files: int


async def find(connection: Connection, workspace: str, customer: str) -> Found:
    """The customer with this key (`channel:account:user`) or id. Raises UsageError when there is none."""
    rows = await connection.fetch(FIND, workspace, customer, _uuid(customer))
    if not rows:
        raise UsageError(f"the workspace {workspace} has no customer {customer}")
    return Found(*rows[0])


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
            "it is on its way, and not all is taken away yet: repeat to see how far it is"
        ) from error


async def _send(settings: Settings, action: Erase) -> None:
    named = headers(
        ERASE,
        id_=action.idempotency_key,
        source=SOURCE,
        subject=action.key,
        time=rfc3339(datetime.now(UTC)),
    )
    producer = AIOKafkaProducer(**settings.kafka.client_options(), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        topic = ACTIONS.full_name(settings.kafka.topic_prefix)
        value = action.model_dump_json(exclude_none=True).encode()
        await producer.send_and_wait(topic, value, key=action.key.encode(), headers=named)
    finally:
        await producer.stop()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
