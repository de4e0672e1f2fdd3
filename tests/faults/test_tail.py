"""The reader of topics is shown all that is committed and nothing else, looks again, and survives outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from checker.facts.drained import Drained
from checker.invariants.polls import PollsCheck
from checker.record import LogRecord
from checker.topics import Topics
from faults import tail
from faults.tail import Tail
from tests.conftest import CONVERSATION_PARTITIONS
from tests.waiting import eventually
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options

pytestmark = pytest.mark.servers
Lines = list[dict[str, Any]]
NEVER_S = 100.0


@asynccontextmanager
async def reading(servers: str, topic: str, partitions: int) -> AsyncIterator[Lines]:
    """What somebody writes down who reads meanwhile, and then to the end."""
    lines: Lines = []
    parts = {TopicPartition(topic, number): "messages" for number in range(partitions)}
    reader = Tail(servers, parts, 1, lambda **line: lines.append(line))
    task = asyncio.create_task(reader.read())
    try:
        yield lines
    finally:
        reader.finish()
        await asyncio.wait_for(task, NEVER_S)


async def write(producer: AIOKafkaProducer, topic: str, id_: str, *, commits: bool = True) -> None:
    """A transaction, with a record in each of two partitions."""
    await producer.begin_transaction()
    for partition in (0, 1):
        headers = [("ce_id", f"{id_}-{partition}".encode())]
        await producer.send_and_wait(topic, b"value", key=b"key", partition=partition, headers=headers)
    await (producer.commit_transaction() if commits else producer.abort_transaction())


def shown(lines: Lines) -> list[str]:
    """Ids, in the order in which they were."""
    return [id_ for line in lines if line["type"] == "poll" for id_ in line["ids"]]


async def see(lines: Lines, id_: str) -> None:
    """Wait until this is shown."""

    async def is_shown() -> bool:
        return id_ in shown(lines)

    await eventually(is_shown, f"{id_} is shown")


def drained(servers: str, prefix: str) -> tuple[Drained, list[LogRecord]]:
    """What the checker finds on the topic in the end."""
    facts = Drained()
    with Topics(servers, prefix) as source:
        return facts, list(facts.watch("messages", source.records("messages")))


def judged(facts: Drained, lines: Lines) -> PollsCheck:
    """What the checker says of it."""
    check = PollsCheck(facts)
    for line in lines:
        (check.see if line["type"] == "poll" else check.seek)(line)
    check.finish()
    return check


async def test_what_is_committed_is_shown_in_order_and_again_only_where_it_says_so(
    bootstrap_servers: str, topic_prefix: str, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "AGAIN", 0.5)
    monkeypatch.setattr(tail, "GATHER_MS", 100)
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap_servers, transactional_id=topic_prefix) as producer,
        reading(bootstrap_servers, topics["messages"], CONVERSATION_PARTITIONS) as lines,
    ):
        for number in range(8):
            for nth in ("aborted", "one", "other"):
                await write(producer, topics["messages"], f"{nth}-{number}", commits=nth != "aborted")
            await see(lines, f"other-{number}-1")
    facts, records = await asyncio.to_thread(drained, bootstrap_servers, topic_prefix)
    assert len(records) == 32
    assert set(shown(lines)) == {record.id for record in records}
    check = judged(facts, lines)
    assert [tally.witness for tally in check.tallies if not tally.holds] == []
    assert check.order.facts["looked again"] > 0


async def test_after_an_outage_it_goes_on_where_it_was(server_dir: Path) -> None:
    topic = "t"
    async with EmbeddedKafka(server_dir / "kafka", java_options=quick_start_options()) as kafka:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await admin.start()
        await admin.create_topics([NewTopic(topic, 1, 1)])
        await admin.close()
        await publish(kafka.bootstrap_servers, topic, "before")
        async with reading(kafka.bootstrap_servers, topic, 1) as lines:
            await see(lines, "before")
            await kafka.kill()
            await kafka.start()
            await publish(kafka.bootstrap_servers, topic, "after")
            await see(lines, "after")
    assert list(dict.fromkeys(shown(lines))) == ["before", "after"]


async def publish(servers: str, topic: str, id_: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, b"", headers=[("ce_id", id_.encode())])


async def test_on_another_connection_nothing_is_shown_again(
    bootstrap_servers: str, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "AGAIN", 0.0)
    monkeypatch.setattr(tail, "SILENT_S", 0.0)
    monkeypatch.setattr(tail, "RETRY_S", 0.0)
    topic = topics["messages"]
    async with reading(bootstrap_servers, topic, CONVERSATION_PARTITIONS) as lines:
        for number in range(3):
            await publish(bootstrap_servers, topic, f"m{number}")
            await see(lines, f"m{number}")
    assert shown(lines) == ["m0", "m1", "m2"]
    connections = sum(line["type"] == "seek" for line in lines) / CONVERSATION_PARTITIONS
    assert connections > 1
