"""A connection to Postgres of which the other end is gone is given up while somebody still waits for it."""

from __future__ import annotations

import asyncio
import random
from urllib.parse import urlsplit

import pytest

from config.settings import Settings
from faults.proxy import Way, Wire
from faults.requests import PostgresRequests
from workers.gateway import gateway
from workers.gateway.queries import pool
from workers.runtime.postgres import DATABASE_ERRORS, new_pool

pytestmark = pytest.mark.servers

GIVEN_UP_S = 10.0
"""So long a person may wait for an error at most."""
COMMAND_S = 1.0
SOON_S = 90.0


async def test_a_reply_that_is_lost_costs_two_deadlines_and_the_next_statement_nothing(
    settings: Settings,
) -> None:
    dsn = settings.postgres.dsn.get_secret_value()
    port = urlsplit(dsn).port
    wire = Wire(port or 0, PostgresRequests, random.Random(1))
    await wire.open()
    wired = settings.with_servers(
        bootstrap_servers=settings.kafka.bootstrap_servers, dsn=dsn.replace(f":{port}/", f":{wire.port}/")
    )
    async with new_pool(wired, "half open", 1, command_timeout_s=COMMAND_S) as made, asyncio.timeout(SOON_S):
        assert await made.fetchval("SELECT 1") == 1
        wire.silence(Way.DOWN)
        waiting = asyncio.create_task(made.fetchval("SELECT 1"))
        while not wire.held:
            await asyncio.sleep(0.001)
        wire.forget()
        wire.heal()
        with pytest.raises(DATABASE_ERRORS):
            await waiting
        assert wire.forgotten
        assert await made.fetchval("SELECT 1") == 1
    await wire.close()


def test_a_gateway_s_deadlines_end_before_a_person_would_ask_again() -> None:
    assert 2 * gateway.COMMAND_S <= GIVEN_UP_S
    assert pool.STATEMENT_MS / 1000 < pool.COMMAND_S
    assert 2 * pool.COMMAND_S <= GIVEN_UP_S
