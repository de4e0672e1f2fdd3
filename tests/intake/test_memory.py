"""What intake remembers between batches is bounded and can be dropped by lane."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.intake.conftest import Run
from tests.intake.log import PARTITIONS, Log, key_of, lane_of
from tests.intake.tables import transcript
from workers.routing.intake.conversations import Conversations
from workers.routing.intake.handler import IntakeHandler
from workers.routing.intake.pages import SILENT, Owner, Pages
from workers.routing.intake.rules import Rules
from workers.runtime.handler import Connection


@pytest.mark.servers
class TestMemory:
    async def test_is_bounded(self, connection: Connection, log: Log) -> None:
        handler = IntakeHandler(PARTITIONS, cached_conversations=5)
        for number in range(30):
            log.say(f"u{number % 10}", f"m{number}")
        while (batch := log.batch(7)).records:
            await handler.handle(connection, batch)
            assert len(handler._conversations) <= 5
        for number in range(10):
            lines = await transcript(connection, f"u{number}")
            assert [line["position"] for line in lines] == [1, 2, 3]

    async def test_of_other_lanes_is_kept(
        self, connection: Connection, log: Log, handler: IntakeHandler, run: Run
    ) -> None:
        for number in range(10):
            log.say(f"u{number}", f"m{number}")
        await run(log.batch())
        lane = lane_of(key_of("u0"))
        mine = sum(lane_of(key_of(f"u{number}")) == lane for number in range(10))
        handler.forget([lane])
        assert len(handler._conversations) == 10 - mine
        handler.forget()
        assert len(handler._conversations) == 0


def remembered(conversations: Conversations, *users: str) -> list[str]:
    return [user for user in users if conversations.get(("acme", f"messenger:1:{user}".encode()))]


def test_conversations_that_a_batch_has_in_hand_are_kept_while_another_ends() -> None:
    conversations = Conversations(2)
    names = {user: ("acme", f"messenger:1:{user}".encode()) for user in "abcd"}
    for user in "abcd":
        conversations.begin(Owner("acme", "main", SILENT), 0, f"messenger:1:{user}", "messenger:1", 1)
    with conversations.in_hand({names["a"], names["b"]}):
        with conversations.in_hand({names["d"]}):
            pass
        assert remembered(conversations, *"abcd") == ["a", "b"]
    assert remembered(conversations, *"abcd") == ["a", "b"]


class SlowPostgres:
    """Answers each question when it is told to."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[list[Any]]] = []

    def fetch(self, *_: object) -> asyncio.Future[list[Any]]:
        self.asked.append(asyncio.get_running_loop().create_future())
        return self.asked[-1]


async def answers(postgres: SlowPostgres, number: int, rows: list[Any]) -> None:
    while len(postgres.asked) <= number:
        await asyncio.sleep(0)
    postgres.asked[number].set_result(rows)


async def test_what_a_batch_looked_up_stays_known_to_it_when_another_looks_everything_up_again() -> None:
    now_s = 0.0
    looks: list[tuple[Any, Any, list[Any], object]] = [
        (
            Pages(lambda: now_s),
            {"p"},
            [("p", "acme", "main", None, None)],
            {"p": Owner("acme", "main", SILENT)},
        ),
        (
            Rules(lambda: now_s),
            {("acme", "main", "r")},
            [("acme", "main", "r", True)],
            {("acme", "main", "r"): True},
        ),
    ]
    for cache, wanted, rows, known in looks:
        postgres = SlowPostgres()
        first = asyncio.create_task(cache.look_up(postgres, wanted))
        await answers(postgres, 0, rows)
        given = await first
        now_s += 5
        second = asyncio.create_task(cache.look_up(postgres, wanted))
        await answers(postgres, 1, [])
        assert (await second, given) == ({}, known)
