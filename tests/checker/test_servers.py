"""The checker reads real topics and tables: to their ends, and only what was committed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from checker.rows import QUERIES, MessageRow
from checker.tables import Tables
from checker.topics import Topics

pytestmark = pytest.mark.servers


async def test_only_committed_records_are_read_and_the_end_is_found(
    bootstrap_servers: str, topic_prefix: str, topics: dict[str, str]
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, transactional_id=topic_prefix)
    await producer.start()
    for value, commits in ((b"1", True), (b"2", False), (b"3", True), (b"4", False)):
        await producer.begin_transaction()
        await producer.send_and_wait(topics["messages"], value, key=b"k", partition=1)
        await (producer.commit_transaction() if commits else producer.abort_transaction())
    await producer.stop()

    def read() -> tuple[list[bytes | None], dict[int, int], int]:
        with Topics(bootstrap_servers, topic_prefix) as source:
            values = [record.value for record in source.records("messages")]
            return values, source.ends("messages"), source.partitions("messages")

    values, ends, partitions = await asyncio.to_thread(read)
    assert values == [b"1", b"3"]
    assert ends == {0: 0, 1: 8, 2: 0, 3: 0}
    assert partitions == 4


async def test_records_behind_a_transaction_without_an_end_are_counted(
    bootstrap_servers: str, topic_prefix: str, topics: dict[str, str]
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, transactional_id=topic_prefix)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers) as other:
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(topics["messages"], b"1", key=b"k", partition=1)
        await other.send_and_wait(topics["messages"], b"2", key=b"k", partition=1)

    def read() -> dict[int, int]:
        with Topics(bootstrap_servers, topic_prefix) as source:
            return source.held_back("messages")

    during = await asyncio.to_thread(read)
    await producer.abort_transaction()
    await producer.stop()
    assert during == {0: 0, 1: 2, 2: 0, 3: 0}


async def test_offsets_come_with_their_metadata(
    bootstrap_servers: str, topic_prefix: str, topics: dict[str, str]
) -> None:
    group = f"{topic_prefix}.desk"
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    part = TopicPartition(topics["commands"], 1)
    consumer.assign([part])
    await consumer.commit({part: OffsetAndMetadata(5, "17")})
    await consumer.stop()

    def read() -> dict[tuple[str, int], tuple[int, str]]:
        with Topics(bootstrap_servers, topic_prefix) as source:
            return dict(source.committed("desk"))

    assert await asyncio.to_thread(read) == {("commands", 1): (5, "17")}


async def test_every_table_is_read_as_it_is(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        """INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind,
               body, params, page_id, sent_at, clock_ahead, stored_at, seq)
           VALUES ('acme', gen_random_uuid(), 1, gen_random_uuid(), 1, 'customer', 'text', 'Chào', '{"a": 1}',
               'messenger:1', '9999-12-31T23:59:59.999Z', false, '2026-11-22T08:15:00.250Z', 0)"""
    )
    await connection.execute(
        """INSERT INTO ticket (workspace_id, conversation_id, number, ticket_id, page_id, session,
               first_position, status, subject, fields, created_at, changed_at)
           VALUES ('acme', gen_random_uuid(), 1, gen_random_uuid(), 'messenger:1', 1, 1,
               'open', 'Đổi hàng', '{"gap": true}', now(), now())"""
    )
    await connection.close()

    def read() -> dict[str, list[tuple[object, ...]]]:
        with Tables(database) as tables:
            return {kind.__name__: list(tables.rows(kind)) for kind in QUERIES}

    rows = await asyncio.to_thread(read)
    (message,) = rows.pop("MessageRow")
    assert isinstance(message, MessageRow)
    assert (message.sent_at_ms, message.stored_at_ms) == (253_402_300_799_999, 1_795_335_300_250)
    assert (message.body, message.params) == ("Chào", '{"a": 1}')
    (ticket,) = rows.pop("TicketRow")
    assert ticket[1:] == (1, "open", "Đổi hàng", '{"gap": true}', None)
    assert not any(rows.values())


async def _checker(*arguments: str) -> tuple[int | None, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "checker", *arguments, stdout=-1, stderr=-1
    )
    output, errors = await process.communicate()
    return process.returncode, output, errors


async def test_the_command_finds_that_empty_servers_hold(
    bootstrap_servers: str, topic_prefix: str, topics: dict[str, str], database: str
) -> None:
    del topics
    code, output, errors = await _checker(
        "--bootstrap-servers", bootstrap_servers, "--dsn", database, "--prefix", topic_prefix
    )
    assert (code, errors) == (0, b"")
    assert b"everything holds" in output


async def test_what_a_killed_writer_has_left_of_a_line_is_left_out(
    bootstrap_servers: str, topic_prefix: str, topics: dict[str, str], database: str, tmp_path: Path
) -> None:
    del topics
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_bytes(b'{"type": "invoke", "op": 1, "key": "k", "id": "1"}\n{"type": "ok", "op')
    servers = ("--bootstrap-servers", bootstrap_servers, "--dsn", database, "--prefix", topic_prefix)
    code, _, errors = await _checker(*servers, "--expected", str(ledger))
    assert (code, errors) == (0, b"")


async def test_a_missing_topic_is_told(bootstrap_servers: str, database: str) -> None:
    code, _, errors = await _checker(
        "--bootstrap-servers", bootstrap_servers, "--dsn", database, "--prefix", "nobody"
    )
    assert code == 2
    assert b"the topic nobody." in errors
