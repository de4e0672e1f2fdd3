"""After a loss that was accepted, desks are asked once more about customers whom they do not know of."""

from __future__ import annotations

import asyncpg
import pytest

from config.settings import Settings
from schemas.commands import Route
from schemas.envelope import read_kind
from schemas.ids import desk_key
from tests.cli.publishing import read_all
from tests.intake.conftest import register
from tests.intake.log import PAGE, PARTITIONS, WORKSPACE, Log, key_of
from workers.cli.asking_again import ask_again
from workers.routing.intake.handler import IntakeHandler
from workers.routing.intake.routing import ROUTE

pytestmark = pytest.mark.servers


async def test_routes_of_a_lost_log_are_put_on_the_next_one(
    settings: Settings, topics: dict[str, str], database: str
) -> None:
    connection, log = await asyncpg.connect(database), Log()
    await register(connection, PAGE, WORKSPACE)
    assert await ask_again(settings) == 0
    for user in ("lan", "minh"):
        log.say(user, user)
    async with connection.transaction():
        await IntakeHandler(PARTITIONS).handle(connection, log.batch())
    await connection.close()

    assert await ask_again(settings) == 2
    records = await read_all(settings, topics["commands"], 2)
    assert {record.key for record in records} == {desk_key(WORKSPACE).encode()}
    assert {read_kind(record.headers, "commands") for record in records} == {ROUTE}
    routes = [Route.model_validate_json(record.value) for record in records]
    assert {route.key for route in routes} == {key_of("lan"), key_of("minh")}
    assert len({dict(record.headers)["ce_id"] for record in records}) == 2
