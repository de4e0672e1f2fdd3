"""Who leaves with very many conversations: released a part at a time, all of them, in order, once."""

from __future__ import annotations

import pytest

from schemas.asks import Appoint, Release, SetLeave
from schemas.assignments import Assigned, Unassigned
from schemas.commands import Vacate
from schemas.envelope import header
from schemas.ids import desk_key
from schemas.outcomes import Done
from tests.desk.flows import names
from tests.desk.log import DESK, WORKSPACE, a_rule, an_agent, ask, configure, key_of, route, session_ended
from tests.desk.scene import Scene, restarted, snapshot
from tests.desk.world import World, read
from workers.routing.desk import leaving, memory
from workers.runtime.batch import Batch, Event, Record

HELD = 4_000
BATCH_MAX_BYTES = 10_000_000
UNASSIGNED = b"tongdai.assignments.unassigned.v1"
CLONE = """
INSERT INTO desk_conversation
SELECT (jsonb_populate_record(one, jsonb_build_object(
    'conversation_id', gen_random_uuid(), 'key', 'zalo:100:u' || number,
    'session_open', number % 100 = 0, 'held_since', one.held_since - number * interval '1 millisecond'))).*
FROM desk_conversation AS one, generate_series(1, $1) AS number
"""


def leave(then: str = "next", *, on_leave: bool = True) -> SetLeave:
    """An operator sends An on leave."""
    fields = {"actor": "cli:me", "authority": "admin", "idempotency_key": f"leave-{on_leave}"}
    named = {"workspace": WORKSPACE, "desk": DESK, "agent": "an", "then": then, "on_leave": on_leave}
    return SetLeave.model_validate(named | fields)


class TestParts:
    """Of two conversations each."""

    @pytest.fixture(autouse=True)
    def part(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leaving, "PART", 2)

    @pytest.fixture
    def scene(self) -> Scene:
        """An has five; two of them have no session."""
        scene = Scene()
        scene.do(configure(["an", "binh"], [a_rule("an")]))
        for user in ("a", "b", "c", "d", "e"):
            scene.do(route(user))
        for user in ("a", "c"):
            scene.do(session_ended(user))
        return scene

    def going_on(self, scene: Scene) -> Vacate:
        """What the desk has put on its own log."""
        return scene.events(Vacate)[-1]

    def released(self, scene: Scene) -> list[str]:
        return [one.key.split(":")[-1] for one in scene.events(Unassigned)]

    def test_the_first_are_released_by_the_leave_and_the_others_by_what_follows(self, scene: Scene) -> None:
        command = leave()
        *_, done = scene.do(command)
        assert isinstance(done, Done)
        assert done.result == {"agent": "an", "on_leave": True, "released": 2, "more_follow": True}
        assert self.released(scene) == ["b", "d"]
        scene.do(self.going_on(scene))
        assert self.released(scene) == ["b", "d", "e", "a"]
        assert names(scene.do(self.going_on(scene))) == ["Unassigned"]
        assert len(scene.events(Vacate)) == 2
        told = {(one.how, one.by, one.command) for one in scene.events(Unassigned)}
        assert told == {("on_leave", "cli:me", command.idempotency_key)}
        assert scene.do(self.going_on(scene)) == []

    def test_as_many_as_fit_need_no_more(self, scene: Scene) -> None:
        for user in ("a", "b", "c"):
            scene.do(ask(Release, user, "an"))
        *_, done = scene.do(leave())
        assert (done.result["released"], "more_follow" in done.result) == (2, False)
        assert scene.events(Vacate) == []

    def test_what_he_is_given_after_he_is_back_stays_his(self, scene: Scene) -> None:
        scene.do(leave())
        scene.do(leave(on_leave=False))
        scene.do(ask(Appoint, "b", "chu", authority="admin", agent="an"))
        while scene.conversation("c").holder == "an":
            scene.do(self.going_on(scene))
        assert scene.conversation("b").holder == "an"
        assert {one.care for one in scene.desk.conversations.values() if one.holder is None} <= {"waiting"}

    def test_another_agent_goes_on_with_what_he_has_got_meanwhile(self, scene: Scene) -> None:
        scene.do(leave())
        scene.do(ask(Appoint, "e", "chu", authority="admin", agent="binh"))
        while scene.conversation("c").holder == "an":
            scene.do(self.going_on(scene))
        assert scene.conversation("e").holder == "binh"

    def test_a_removal_goes_on_too_and_another_worker_may_carry_it_on(self, scene: Scene) -> None:
        *_, done = scene.do(configure(["binh"], [a_rule("binh")], idempotency_key="later"))
        assert done.result["conversations"] == {"released": 2, "more_follow": True}
        scene.desk = restarted(scene.desk)
        while any(one.holder == "an" for one in scene.desk.conversations.values()):
            scene.do(self.going_on(scene))
        assert {one.how for one in scene.events(Unassigned)} == {"agent_removed"}
        assert {one.holder for one in scene.events(Assigned)[5:]} == {"binh"}
        assert snapshot(restarted(scene.desk)) == snapshot(scene.desk)


def test_of_those_of_a_leaver_the_first_in_the_queues_order_is_served_first_not_whom_he_had_first() -> None:
    scene = Scene()
    agents = [an_agent("an"), an_agent("binh", 1), an_agent("chu")]
    scene.do(configure(agents, [a_rule("an", "binh", vip_tags=["vip"])]))
    for user in ("old", "busy", "young"):
        scene.do(route(user))
    scene.do(route("lan").model_copy(update={"tags": ("vip",)}))
    for agent in ("chu", "an"):
        scene.do(ask(Appoint, "old", "chu", agent=agent))
    held = {one.held_since: one.key for one in scene.desk.conversations.values() if one.holder == "an"}
    assert [key[-3:] for _, key in sorted(held.items(), key=str)] == ["ung", "lan", "old"]
    scene.do(session_ended("busy"))
    scene.do(leave())
    assert scene.conversation("lan").holder == "binh"
    waiting = scene.desk.queue.line("chia-deu")
    assert [one.key[-3:] for one in waiting] == ["old", "ung"]
    scene.do(ask(Release, "lan", "binh"))
    assert scene.conversation("old").holder == "binh"


async def test_a_leaver_with_thousands_of_conversations_is_no_huge_batch(world: World) -> None:
    await world.handle(configure(["an", "binh"], [a_rule("an")]), route("first"))
    await world.handle(configure(["an", "binh"], [a_rule("an", "binh")], idempotency_key="later"))
    await world.connection.execute(CLONE, HELD - 1)
    world.handler.forget()
    batch = await world.handle(leave())
    batches = [batch]
    while (following := going_on(world, batch)) is not None:
        batch = await world.handle(following)
        batches.append(batch)
    sizes = [sum(len(event.value) + len(event.key) for event in events_of(one)) for one in batches]
    assert (len(batches), max(sizes) < BATCH_MAX_BYTES) == (HELD // leaving.PART, True)
    gone = [one for each in batches for one in unassigned(each)]
    assert len({one.key for one in gone}) == len(gone) == HELD
    assert [one.seq for one in gone] == [gone[0].seq] * HELD
    oldest_first = (key_of(f"u{number}") for number in range(HELD - 100, 0, -100))
    assert [one.key for one in gone[: HELD // 100]] == [*oldest_first, key_of("first")]
    rows = await world.connection.fetch("SELECT DISTINCT holder, standing FROM desk_conversation")
    assert {tuple(row) for row in rows} == {("binh", "held"), (None, "idle")}


def events_of(batch: Batch) -> list[Event]:
    return [event for events in batch.events.values() for event in events]


def unassigned(batch: Batch) -> list[Unassigned]:
    found = [event for event in events_of(batch) if header(event.headers, "ce_type") == UNASSIGNED]
    return [Unassigned.model_validate_json(event.value) for event in found]


def going_on(world: World, batch: Batch) -> Record | None:
    """The record that the desk has put on its own log, as the broker gives it back."""
    for event in events_of(batch):
        if event.topic == "commands":
            assert event.key == desk_key(WORKSPACE, DESK).encode()
            command = read(event).event
            assert isinstance(command, Vacate)
            return world.record(command)
    return None


@pytest.mark.parametrize("is_back_before", [False, True], ids=["alone", "after others of its batch"])
async def test_what_a_colleague_on_leave_keeps_is_not_taken_for_what_he_who_is_removed_has(
    world: World, monkeypatch: pytest.MonkeyPatch, is_back_before: bool
) -> None:
    for module in (leaving, memory):
        monkeypatch.setattr(module, "PART", 2)
    kept, others = [f"k{number}" for number in range(12)], ["a", "b", "c"]
    await world.handle(configure(["an", "binh", "chu"], [a_rule("an")]), *map(route, kept))
    await world.handle(configure(["an", "binh", "chu"], [a_rule("binh")], idempotency_key="2"))
    ended = [session_ended(user) for user in (*kept, *others)]
    await world.handle(*map(route, others), *ended, leave("keep"))
    world.handler.forget()
    on_leave = an_agent("an").model_copy(update={"on_leave": True})
    removal = configure([on_leave, "chu"], [a_rule("chu")], idempotency_key="3")
    again = leave("keep").model_copy(update={"idempotency_key": "again"})
    batch = await world.handle(*(leave(on_leave=False), again) * is_back_before, removal)
    following = going_on(world, batch)
    assert following is not None
    await world.handle(following)
    rows = await world.connection.fetch("SELECT holder, count(*) FROM desk_conversation GROUP BY 1")
    assert {row["holder"]: row["count"] for row in rows} == {"an": len(kept), None: len(others)}
