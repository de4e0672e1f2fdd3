"""The lists' benchmark, in small."""

from __future__ import annotations

import asyncpg
import pytest

from bench.lists import PEOPLE, Lists, ListsPlan, ask_all
from bench.lists_table import tables
from bench.machine import describe
from bench.shop import fill

pytestmark = pytest.mark.servers


async def test_a_shop_is_filled_and_everything_asked_of_it(database: str) -> None:
    connection = await asyncpg.connect(database)
    await fill(connection, 400)
    counted = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM notifier_conversation), (SELECT count(*) FROM customer),"
        " (SELECT sum(conversations) FROM inbox_counter WHERE place IN ('held', 'unheld')),"
        " (SELECT count(*) FROM pg_index WHERE NOT indisvalid)"
    )
    assert tuple(counted) == (400, 400, 400, 0)
    await connection.close()

    heard: list[str] = []
    answered = await ask_all(database, 1, heard.append)

    assert len(heard) == len(answered) > 100
    assert {one.who for one in answered} == set(PEOPLE)
    assert all(one.work.statements for one in answered if one.who == "admin of all")
    result = Lists(ListsPlan(400, 1), 1.0, answered, describe("18", "none"))
    (table,) = tables(result)
    assert table.row_count == len(answered)
    assert len(result.report()["answered"]) == len(answered)
