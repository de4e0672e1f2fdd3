"""Intake and the desk on one Postgres, each reading what the other publishes: whole ways of a message."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest

from schemas import envelope
from schemas.asks import SetCare
from schemas.commands import Configure, Route
from schemas.definitions import Agent, Page, Policy, Rule
from schemas.ids import conversation_id, desk_key
from tests.intake.log import PAGE, PARTITIONS, WORKSPACE, Log, ce_headers, key_of
from tests.intake.tables import state
from workers.routing.desk.handler import DeskHandler
from workers.routing.intake.asking_again import unanswered
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch, Event, Record
from workers.runtime.handler import Connection, Handler
from workers.runtime.topology import Topology

pytestmark = pytest.mark.servers

DESK_PARTITIONS = 2
_TOPICS = {
    "inbound": PARTITIONS,
    "actions": PARTITIONS,
    "assignments": PARTITIONS,
    "commands": DESK_PARTITIONS,
}
_READERS = {"assignments": "intake", "commands": "desk"}


class Switchboard:
    """Both handlers; what they publish to each other becomes the next records."""

    def __init__(self, connection: Connection, log: Log) -> None:
        self._connection = connection
        self._log = log
        self._handlers: dict[str, Handler] = {
            "intake": IntakeHandler(PARTITIONS),
            "desk": DeskHandler(DESK_PARTITIONS),
        }
        self._topology = Topology("", _TOPICS)
        self._offsets: Counter[tuple[str, int]] = Counter()
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.loses: set[str] = set()
        """Topics of which nothing is kept."""

    async def ask(self, what: str, command: Configure | Route | SetCare) -> None:
        """Put a command on the desk's log and let everything that follows from it happen."""
        key = desk_key(WORKSPACE).encode()
        headers = ce_headers(f"tongdai.commands.{what}.v1")
        event = Event("commands", None, key, command.model_dump_json().encode(), headers)
        await self._settle([self._record(event)])

    async def settle(self) -> list[tuple[str, dict[str, Any]]]:
        """Let everything happen that follows from what the log has; what was published by that, in order."""
        before = len(self.published)
        await self._settle(self._log.take())
        return self.published[before:]

    async def _settle(self, records: list[Record]) -> None:
        while records:
            reader = _READERS.get(records[0].topic, "intake")
            mine = [one for one in records if _READERS.get(one.topic, "intake") == reader]
            rest = [one for one in records if _READERS.get(one.topic, "intake") != reader]
            batch = Batch(reader, mine, [one.timestamp_ms for one in mine])
            async with self._connection.transaction():
                await self._handlers[reader].handle(self._connection, batch)
            assert not batch.rejected
            events = [event for lane in sorted(batch.events) for event in batch.events[lane]]
            for event in events:
                what = envelope.read_kind(event.headers, event.topic).what
                self.published.append((f"{event.topic}.{what}", orjson.loads(event.value)))
            kept = [event for event in events if event.topic in _READERS.keys() - self.loses]
            records = rest + [self._record(event) for event in kept]

    def _record(self, event: Event) -> Record:
        lane = self._topology.partition(event.topic, event.key)
        self._offsets[event.topic, lane] += 1
        offset = self._offsets[event.topic, lane] - 1
        now_ms = self._log.now_ms
        return Record(event.topic, lane, offset, now_ms, event.key, event.value, event.headers)


@pytest.fixture
async def switchboard(connection: Connection, log: Log) -> Switchboard:
    """A desk with one rule: who answers first has it."""
    board = Switchboard(connection, log)
    await board.ask(
        "configure",
        Configure(
            workspace=WORKSPACE,
            desk="main",
            actor="cli:test",
            idempotency_key="configure",
            agents=tuple(Agent(id=id_, name=id_) for id_ in ("lan", "minh", "hoa")),
            departments=(),
            pages=(Page(id=PAGE, name="Shop", admins=("hoa",)),),
            rules=(
                Rule(
                    id="sales",
                    name="Sales",
                    owner="hoa",
                    pages=(PAGE,),
                    agents=("lan", "minh"),
                    method="self_claim",
                    reply_claims=True,
                ),
            ),
            policy=Policy(silent_after_s=30, done_from=("accepted",)),
        ),
    )
    return board


def outcomes(published: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """What became of each answer: its sender and `done`, or the code."""
    return {
        value["actor"].rpartition("/")[2]: value.get("code", "done")
        for what, value in published
        if what.startswith("outcomes.") and value["command"] == "say"
    }


async def test_the_first_to_answer_has_it_and_the_other_is_told(
    connection: Connection, log: Log, switchboard: Switchboard
) -> None:
    log.say("u1", "m1")
    await switchboard.settle()
    assert (await state(connection, "u1"))["standing"] == "offered"
    log.act("u1", "say", text="em đây", by="minh")
    log.act("u1", "say", text="tôi đây", by="lan")
    log.act("u1", "say", text="còn hàng ạ", by="minh")
    published = await switchboard.settle()
    assert [value["text"] for what, value in published if what == "outbound.send"] == ["em đây", "còn hàng ạ"]
    assert outcomes(published) == {"minh": "done", "lan": "taken"}
    assert sum(what.startswith("outcomes.") and v["command"] == "say" for what, v in published) == 3
    (refused,) = [value for what, value in published if what == "assignments.reply_refused"]
    assert refused["code"] == "taken"
    (told,) = [value for what, value in published if what == "outcomes.refused" and value["command"] == "say"]
    assert told["details"] == refused["details"]
    assert (told["details"]["winner"], told["details"]["earlier_ms"] >= 0) == ("minh", True)
    found = await state(connection, "u1")
    assert (found["holder"], found["replies"], found["session_agent_messages"]) == ("minh", 0, 2)


async def test_done_ends_the_session_and_the_next_message_reopens(
    connection: Connection, log: Log, switchboard: Switchboard
) -> None:
    log.say("u1", "m1")
    await switchboard.settle()
    log.act("u1", "say", text="tôi đây")
    await switchboard.settle()
    done = SetCare(
        workspace=WORKSPACE,
        desk="main",
        actor=f"agent:{WORKSPACE}/lan",
        idempotency_key="done",
        by="lan",
        conversation=conversation_id(key_of("u1")),
        key=key_of("u1"),
        care="done",
        outcome="won",
    )
    await switchboard.ask("set_care", done)
    closed = [value for what, value in switchboard.published if what == "assignments.session_closed"]
    assert [(one["ended_by"], one["agent_messages"]) for one in closed] == [("done", 1)]
    log.say("u1", "m2")
    published = await switchboard.settle()
    assert [value["session"] for what, value in published if what == "commands.route"] == [2]
    found = await state(connection, "u1")
    assert (found["session"], found["session_open"], found["holder"]) == (2, True, "lan")


async def test_a_silent_session_counts_again_when_somebody_writes(
    connection: Connection, log: Log, switchboard: Switchboard
) -> None:
    log.say("u1", "m1")
    await switchboard.settle()
    log.act("u1", "say", text="tôi đây")
    await switchboard.settle()
    log.wait(seconds=30)
    silence_at = (await state(connection, "u1"))["silence_at"]
    log.silence("u1", 1, round(silence_at.timestamp() * 1000))
    assert "assignments.session_silenced" in dict(await switchboard.settle())
    log.say("u1", "m2")
    assert "assignments.session_woken" in dict(await switchboard.settle())


async def test_routes_that_were_lost_are_asked_again_and_no_others(
    connection: Connection, log: Log, switchboard: Switchboard
) -> None:
    for user in ("answered", "over", "again"):
        log.say(user, f"{user}-1")
    await switchboard.settle()
    for user in ("over", "again"):
        log.act(user, "say", text="tôi đây")
    await switchboard.settle()
    log.act("again", "end_session")
    await switchboard.settle()
    switchboard.loses = {"commands"}
    for user in ("new", "again"):
        log.say(user, f"{user}-2")
    log.act("over", "end_session")
    await switchboard.settle()
    assert (await state(connection, "new"))["standing"] == "idle"

    switchboard.loses = set()
    routes = {route.key: route for route in await unanswered(connection)}
    assert {key: (one.session, one.opens_session) for key, one in routes.items()} == {
        key_of("new"): (1, True),
        key_of("again"): (2, True),
    }
    for route in routes.values():
        await switchboard.ask("route", route)
    found = [await state(connection, user) for user in ("new", "again")]
    assert [(one["standing"], one["route_unanswered"]) for one in found] == [
        ("offered", False),
        ("held", False),
    ]
    assert await unanswered(connection) == []


async def test_a_desk_that_knows_the_session_is_asked_again_only_if_it_seeks_nobody(
    connection: Connection, log: Log, switchboard: Switchboard
) -> None:
    for user in ("sought", "not-sought"):
        log.say(user, user)
    await switchboard.settle()
    await connection.execute("UPDATE conversation SET route_unanswered = true")
    idle = "UPDATE desk_conversation SET standing = 'idle', audience = NULL WHERE key = $1"
    await connection.execute(idle, key_of("not-sought"))
    routes = await unanswered(connection)
    assert [(route.key, route.opens_session) for route in routes] == [(key_of("not-sought"), False)]


async def test_a_route_that_is_asked_twice_opens_one_session(
    connection: Connection, log: Log, switchboard: Switchboard
) -> None:
    switchboard.loses = {"commands"}
    log.say("u1", "m1")
    await switchboard.settle()
    switchboard.loses = set()
    [route] = await unanswered(connection)
    for _ in range(2):
        await switchboard.ask("route", route)
    published = [what for what, _ in switchboard.published]
    assert published.count("assignments.session_opened") == 1
    assert published.count("assignments.confirmed") == 1


async def test_routes_are_found_a_portion_at_a_time(
    connection: Connection, log: Log, switchboard: Switchboard
) -> None:
    switchboard.loses = {"commands"}
    for number in range(5):
        log.say(f"u{number}", f"m{number}")
    await switchboard.settle()
    found: list[Route] = []
    while portion := await unanswered(connection, found[-1] if found else None, limit=2):
        assert len(portion) <= 2
        found += portion
    assert sorted(route.key for route in found) == [key_of(f"u{number}") for number in range(5)]
