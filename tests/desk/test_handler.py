"""The desk on a real Postgres: what it publishes and stores, and what it makes of bad input and restarts."""

from __future__ import annotations

import random
from collections import Counter

import orjson
import pytest

from schemas import deadletter
from schemas.assignments import Assigned, Queued
from schemas.commands import Command, TimerFired
from schemas.definitions import Department, Policy
from schemas.envelope import Kind, header
from tests.desk.flows import silent
from tests.desk.log import BEGIN_MS, PAGE, a_rule, an_agent, configure, key_of, route, session_ended
from tests.desk.people import alive, presence
from tests.desk.scene import snapshot
from tests.desk.world import PARTITIONS, World, batch_of, read
from workers.routing.desk import storing
from workers.routing.desk.handler import DeskHandler
from workers.runtime.batch import Batch

pytestmark = pytest.mark.servers

SALE = Department(id="sale", name="Bán hàng", agents=("an", "binh"))


def reason_of(batch: Batch) -> tuple[str, str]:
    """Why the batch's one record was refused."""
    ((event,),) = batch.events.values()
    assert event.topic == "deadletter"
    reason = header(event.headers, deadletter.PREFIX + "reason")
    detail = header(event.headers, deadletter.PREFIX + "detail")
    assert reason is not None
    assert detail is not None
    return reason.decode(), detail.decode()


async def test_a_batch_is_published_with_keys_and_stored(world: World) -> None:
    await world.handle(
        configure(["an", "binh", "chi"], [a_rule("chi", departments=["sale"])], departments=[SALE]),
        route("lan"),
        route("minh"),
    )
    keys = {(event.topic, event.key.decode()) for event in world.published}
    assert keys == {
        *(("roster", f"agent:acme/{agent}") for agent in ("an", "binh", "chi")),
        ("roster", "acme:main"),
        ("outcomes", "cli:me"),
        ("assignments", key_of("lan")),
        ("assignments", key_of("minh")),
    }
    assert [event.holder for event in world.chain(key_of("lan"))] == [None, "chi"]
    assert (await world.stored())[key_of("minh")].holder == "an"


async def test_each_event_names_the_one_before_also_over_batches(world: World) -> None:
    await world.handle(configure(["an"], [a_rule("an")]), route("lan"))
    world.handler.forget()
    await world.handle(session_ended("lan"), route("lan", 2))
    ids = [read(event).id for event in world.published if event.topic == "assignments"]
    assert [event.previous for event in world.chain(key_of("lan"))] == [None, *ids[:-1]]
    assert [event.seq for event in world.chain(key_of("lan"))] == [1, 2, 3, 4]


async def test_the_same_batch_again_gives_the_same_events(world: World) -> None:
    await world.handle(configure([an_agent("an", 1)], [a_rule("an")]))
    records = [world.record(one) for one in (route("lan"), route("minh"), session_ended("lan"))]
    transaction = world.connection.transaction()
    await transaction.start()
    lost = batch_of(records)
    await world.handler.handle(world.connection, lost)
    await transaction.rollback()
    world.handler.forget()
    assert (await world.handle(*records)).events == lost.events


async def test_tables_and_events_give_the_same_desk_over_restarts(world: World) -> None:
    chance = random.Random(7)
    users = [f"u{number}" for number in range(60)]
    sessions: Counter[str] = Counter()
    open_: set[str] = set()
    asked = 0
    for _ in range(30):
        commands: list[Command] = []
        if chance.random() < 0.3 or not asked:
            asked += 1
            commands.append(_roster(chance, f"k{asked}"))
        for user in chance.sample(users, 12):
            if user in open_ and chance.random() < 0.4:
                open_.discard(user)
                commands.append(session_ended(user, sessions[user]))
            else:
                sessions[user] += user not in open_
                open_.add(user)
                commands.append(route(user, sessions[user]))
        await world.handle(*commands)
        if chance.random() < 0.4:
            world.handler = DeskHandler(PARTITIONS, cached_conversations=5)
    folded = snapshot(world.desk_of_events())
    assert snapshot(await world.desk_of_tables()) == folded
    standings = Counter(one.standing for one in folded.conversations.values())
    assert standings["held"] > 10
    assert any(isinstance(read(event).event, Queued) for event in world.published)


def _roster(chance: random.Random, idempotency_key: str) -> Command:
    agents = [an_agent(f"a{number}", chance.choice((1, 2, 3))) for number in range(chance.randint(3, 9))]
    ids = [agent.id for agent in agents]
    rule = a_rule(*chance.sample(ids, 3), id_=chance.choice(("r1", "r2")))
    return configure(agents, [rule], idempotency_key=idempotency_key)


async def test_the_rotation_goes_on_after_a_restart(world: World) -> None:
    agents = [f"a{number}" for number in range(7)]
    await world.handle(configure(agents, [a_rule(*agents)]))
    for number in range(50):
        if number % 3 == 0:
            world.handler = DeskHandler(PARTITIONS)
        await world.handle(route(f"u{number}"))
    holders = [
        event.holder
        for number in range(50)
        for event in world.chain(key_of(f"u{number}"))
        if isinstance(event, Assigned)
    ]
    assert holders == [agents[number % 7] for number in range(50)]


async def test_who_waits_is_served_in_order_after_a_restart(world: World) -> None:
    await world.handle(configure([an_agent("an", 1)], [a_rule("an")]))
    await world.handle(*(route(f"u{number}") for number in range(5)))
    for number in range(4):
        world.handler.forget()
        await world.handle(session_ended(f"u{number}"))
        assert world.chain(key_of(f"u{number + 1}"))[-1].holder == "an"


async def test_silent_sessions_are_counted_after_a_restart(world: World) -> None:
    asked = configure([an_agent("an", 1)], [a_rule("an")])
    await world.handle(asked.model_copy(update={"policy": Policy(silent_after_s=60)}))
    for user in ("u0", "u1"):
        await world.handle(route(user), silent(user))
    world.handler.forget()
    await world.handle(route("u2"))
    assert world.chain(key_of("u2"))[-1].standing == "queued"
    world.handler.forget()
    await world.handle(session_ended("u0"))
    assert world.chain(key_of("u2"))[-1].holder == "an"


async def test_desks_do_not_share(world: World) -> None:
    mine = configure(["an"], [a_rule("an")])
    theirs = mine.model_copy(update={"workspace": "khac"})
    foreign = route("lan").model_copy(update={"workspace": "khac"})
    await world.handle(mine, theirs, route("minh"))
    await world.handle(foreign)
    rows = await world.connection.fetch("SELECT workspace_id, holder FROM desk_conversation ORDER BY 1")
    assert [tuple(row) for row in rows] == [("acme", "an"), ("khac", "an")]


async def test_an_outcome_is_kept_and_not_repeated(world: World) -> None:
    command = configure(["an"], [a_rule("an")])
    await world.handle(command, command)
    world.handler.forget()
    await world.handle(command)
    assert [event.topic for event in world.published].count("outcomes") == 1
    row = await world.connection.fetchrow("SELECT * FROM desk_outcome")
    assert orjson.loads(row["outcome"])["kind"] == "done"
    await world.handle(configure(["binh"], []))
    assert orjson.loads(world.published[-1].value)["code"] == "key_reused"
    assert await world.connection.fetchval("SELECT count(*) FROM desk_outcome") == 1


async def test_outcomes_of_yesterday_are_dropped_now_and_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "DROP_EVERY", 3)
    kept = "SELECT count(*) FROM desk_outcome WHERE decided_at < to_timestamp($1) - interval '24 hours'"
    await world.handle(configure(["an"], []))
    await world.connection.execute("UPDATE desk_outcome SET decided_at = decided_at - interval '25 hours'")
    for number, old in ((2, 1), (3, 1), (4, 0)):
        await world.handle(configure(["an"], [], idempotency_key=f"the {number}th"))
        assert await world.connection.fetchval(kept, BEGIN_MS / 1000) == old
    assert await world.connection.fetchval("SELECT count(*) FROM desk_outcome") == 3


async def test_what_the_registry_gives_to_another_desk_is_refused(world: World) -> None:
    await world.connection.execute(
        "INSERT INTO page_registry (page_id, workspace_id, desk_id) VALUES ($1, 'khac', 'main')", PAGE
    )
    await world.handle(configure(["an"], [a_rule("an")]))
    (outcome,) = world.published
    assert orjson.loads(outcome.value)["code"] == "other_desk"
    await world.connection.execute("UPDATE page_registry SET workspace_id = 'acme'")
    await world.connection.execute(
        "INSERT INTO agent_registry (workspace_id, agent_id, desk_id) VALUES ('acme', 'an', 'second')"
    )
    await world.handle(configure(["an"], [a_rule("an")], idempotency_key="second"))
    assert "'acme:second'" in orjson.loads(world.published[-1].value)["sentence"]


async def test_a_refused_roster_leaves_no_trace(world: World) -> None:
    await world.handle(configure(["an"], [a_rule("ma")]))
    for table in ("desk_agent", "desk_rule", "desk_page"):
        assert await world.connection.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert orjson.loads(world.published[-1].value)["code"] == "unknown_agent"


@pytest.mark.parametrize(
    ("value", "kind", "key", "reason", "told"),
    [
        (b"{}", Kind("commands", "dance"), None, "unknown_type", "'dance'"),
        (b"{}", Kind("inbound", "message"), None, "unreadable_envelope", "tongdai.commands"),
        (b"{", None, None, "unreadable", "the value"),
        (b'{"workspace":"acme","desk":"main"}', None, None, "unreadable", "conversation: Field required"),
        (route("lan").model_dump_json().encode(), None, "acme:other", "wrong_key", "workspace:desk"),
    ],
)
async def test_what_cannot_be_read_goes_to_deadletter(
    world: World, value: bytes, kind: Kind | None, key: str | None, reason: str, told: str
) -> None:
    batch = await world.handle(world.record(value, kind=kind, key=key))
    found, detail = reason_of(batch)
    assert found == reason
    assert told in detail
    assert await world.stored() == {}


async def test_a_command_in_the_wrong_partition_is_sent_on(world: World) -> None:
    record = world.record(route("lan"))
    record.lane = (record.lane + 1) % PARTITIONS
    batch = await world.handle(record)
    assert batch.forwarded == 1
    assert [event.topic for event in world.published] == ["commands"]
    assert await world.stored() == {}


async def test_only_a_bounded_number_of_conversations_is_remembered(world: World) -> None:
    world.handler = DeskHandler(PARTITIONS, cached_conversations=10, cached_desks=1)
    await world.handle(configure([an_agent("an", 5)], [a_rule("an")]))
    await world.handle(*(route(f"u{number}") for number in range(40)))
    desk = world.handler._memory.desk(route("u0"))
    standings = Counter(one.standing for one in desk.conversations.values())
    assert standings["queued"] == 35
    assert standings["held"] <= 10
    await world.handle(configure(["an"], []).model_copy(update={"workspace": "khac"}))
    assert not world.handler._memory.knows(route("u0"))
    await world.handle(session_ended("u0"))
    assert world.chain(key_of("u5"))[-1].holder == "an"


async def test_a_desk_is_forgotten_with_its_lane_only(world: World) -> None:
    await world.handle(route("lan"))
    lane = world.record(route("lan")).lane
    world.handler.forget([lane + 1])
    assert world.handler._memory.knows(route("lan"))
    world.handler.forget([lane])
    assert not world.handler._memory.knows(route("lan"))


async def test_where_agents_are_outlives_a_restart_and_signs_of_life_stand_on_no_topic(world: World) -> None:
    rule = a_rule("an", "binh", online_only=True, gap_s=60)
    await world.handle(configure(["an", "binh"], [rule]), presence("an"), alive("g2"), route("lan"))
    assert {event.topic for event in world.published} == {"roster", "outcomes", "assignments"}
    assert snapshot(await world.desk_of_tables()).people[0]["an"].presence == "online"
    world.handler.forget()
    await world.handle(route("minh"))
    queued = world.chain(key_of("minh"))[-1]
    assert isinstance(queued, Queued)
    assert queued.passed_over == {"gap": 1, "offline": 1}
    gateways = "SELECT array_agg(gateway ORDER BY gateway) FROM desk_gateway"
    assert await world.connection.fetchval(gateways) == ["g1", "g2"]
    lane, late_ms = world.record(alive()).lane, BEGIN_MS + 40_000
    due = await world.handler.due_timers(world.connection, [lane], late_ms, 10)
    lost = [TimerFired.model_validate_json(timer.value) for timer in due]
    assert [(timer.timer, timer.subject) for timer in lost] == [("gateway", "g1"), ("gateway", "g2")]
    await world.handle(*(world.record(timer, at_ms=late_ms) for timer in lost))
    assert await world.connection.fetchval(gateways) is None
    assert await world.connection.fetchval("SELECT presence FROM desk_presence") == "offline"


async def test_who_leaves_gives_up_what_no_worker_remembers(world: World) -> None:
    await world.handle(configure(["an", "binh"], [a_rule("an", "binh")]))
    await world.handle(*(route(f"u{number}") for number in range(10)), session_ended("u0"))
    world.handler.forget()
    await world.handle(configure(["binh"], [a_rule("binh")], idempotency_key="second"))
    stored = await world.stored()
    assert Counter(one.holder for one in stored.values()) == {"binh": 9, None: 1}
    assert stored[key_of("u0")].care == "waiting"
    assert snapshot(await world.desk_of_tables()) == snapshot(world.desk_of_events())
