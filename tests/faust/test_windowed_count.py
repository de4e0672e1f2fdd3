"""The pinned Faust works with the pinned aiokafka on this Kafka: reports will need it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from config.settings import Settings
from tests.conftest import CONVERSATION_PARTITIONS

PROGRAM = Path(__file__).with_name("windowed_count.py")
EXPECTED = {"lan": 5, "minh": 4, "thao": 3}
AT_MS = 1_763_800_000_000
"""The moment of all events, so that one window has them all."""
READY_S = 90.0

pytestmark = pytest.mark.servers


async def test_counts_assignments_in_a_window(
    settings: Settings, topics: dict[str, str], server_dir: Path
) -> None:
    await _publish(settings, topics["assignments"])
    program = await _start(settings, server_dir)
    try:
        async with asyncio.timeout(READY_S):
            assert await _counts(program) == EXPECTED
    finally:
        program.kill()
        await program.wait()
        await _delete_own_topics(settings)


async def _publish(settings: Settings, topic: str) -> None:
    """As the desk does: in a transaction, keyed by conversation."""
    producer = AIOKafkaProducer(
        **settings.kafka.client_options(), transactional_id=f"{settings.kafka.topic_prefix}-desk"
    )
    await producer.start()
    async with producer.transaction():
        holders = [None, *(agent for agent, count in EXPECTED.items() for _ in range(count))]
        for number, holder in enumerate(holders):
            value = orjson.dumps({"seq": number, "holder": holder})
            key = f"messenger:100:{number}".encode()
            await producer.send(topic, key=key, value=value, timestamp_ms=AT_MS)
    await producer.stop()


async def _start(settings: Settings, folder: Path) -> asyncio.subprocess.Process:
    kafka = settings.kafka
    described = (kafka.topic_prefix, kafka.bootstrap_servers, str(CONVERSATION_PARTITIONS), str(folder))
    worker = ("worker", "--without-web", "--loglevel", "warn")
    return await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), *described, *worker, stdout=asyncio.subprocess.PIPE
    )


async def _counts(program: asyncio.subprocess.Process) -> dict[str, int]:
    """The counts once they sum up to as many as were published."""
    assert program.stdout is not None
    told: dict[str, int] = {}
    async for line in program.stdout:
        if line.startswith(b"{"):
            told = orjson.loads(line)
        if sum(told.values()) >= sum(EXPECTED.values()):
            return told
    pytest.fail(f"it ended, having counted {told}")


async def _delete_own_topics(settings: Settings) -> None:
    """Faust makes topics of its own, for the table and the regrouped stream."""
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    await admin.start()
    own = f"{settings.kafka.topic_prefix}-counts"
    await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(own)])
    await admin.close()
