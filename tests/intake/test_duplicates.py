"""Each message of a channel is stored once, whoever brings it and how often."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.intake.conftest import Became, Run, register
from tests.intake.log import PARTITIONS, WORKSPACE, Log, published
from tests.intake.tables import transcript
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


class TestDuplicates:
    async def test_change_nothing_in_one_batch_or_in_two(
        self, connection: Connection, log: Log, became: Became, run: Run
    ) -> None:
        log.say("u1", "m1")
        log.say("u1", "m1")
        await run(log.batch())
        log.say("u1", "m1")
        log.say("u1", "m2")
        batch = await run(log.batch())
        assert [line["channel_message_id"] for line in await transcript(connection, "u1")] == ["m1", "m2"]
        assert len(published(batch, "messages")) == 1
        assert (became("stored"), became("duplicate")) == (2, 2)

    async def test_under_another_customer_id_are_the_first_ones(
        self, connection: Connection, log: Log, run: Run
    ) -> None:
        log.say("u1", "m1")
        await run(log.batch())
        log.say("u2", "m1")
        await run(log.batch())
        assert await connection.fetchval("SELECT count(*) FROM conversation") == 1

    async def test_on_another_page_are_none(self, connection: Connection, log: Log, run: Run) -> None:
        await register(connection, "zalo:9", WORKSPACE)
        log.say("u1", "m1")
        log.say("u1", "m1", page="zalo:9")
        await run(log.batch())
        assert await connection.fetchval("SELECT count(*) FROM message") == 2

    async def test_that_two_workers_store_at_once_are_stored_by_one(
        self,
        database: str,
        connection: Connection,
        log: Log,
        handler: IntakeHandler,
        became: Became,
        run: Run,
    ) -> None:
        """Ours has looked before the other commits: it waits, loses, and finds the message next time."""
        other = await asyncpg.connect(database)
        log.say("u1", "m1")
        theirs = log.batch()
        log.say("u2", "m1")
        ours = log.batch()
        transaction = other.transaction()
        await transaction.start()
        await IntakeHandler(PARTITIONS).handle(other, theirs)
        trying = asyncio.create_task(run(ours))
        await _until_blocked(other, connection.get_server_pid())
        await transaction.commit()
        with pytest.raises(asyncpg.SerializationError, match="another lane"):
            await trying
        handler.forget()
        again = await run(Batch("intake", ours.records, ours.at_ms))
        assert await connection.fetchval("SELECT count(*) FROM message") == 1
        assert (became("duplicate"), again.events) == (1, {})
        await other.close()


async def _until_blocked(connection: Connection, pid: int) -> None:
    """Wait until the session `pid` waits for another one."""
    async with asyncio.timeout(90):
        while not await connection.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", pid):
            pass
