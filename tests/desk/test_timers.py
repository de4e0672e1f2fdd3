"""Timers follow from how things stand; what comes too early comes again, what is disarmed does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from schemas.asks import Transfer as AskTransfer
from schemas.assignments import Queued
from schemas.commands import TimerFired
from schemas.envelope import moment
from tests.desk.flows import rule_with
from tests.desk.log import (
    BEGIN_MS,
    DESK,
    WORKSPACE,
    a_rule,
    an_agent,
    ask,
    configure,
    key_of,
    route,
    session_ended,
)
from tests.desk.people import alive, presence
from tests.desk.scene import Scene
from tests.desk.world import World
from workers.routing.desk.conversation import Conversation, Transfer
from workers.routing.desk.handler import DeskHandler
from workers.routing.desk.timers import OF_CONVERSATION, Timer, timers_of, timers_of_desk
from workers.runtime.batch import TimerDue

LATER = datetime(2030, 1, 1, tzinfo=UTC)
PATIENCE_S, GRACE_S = 60, 10
RULE = a_rule("an").model_copy(update={"urgent_after_s": PATIENCE_S})
ROSTER = configure([an_agent("an", 1)], [RULE])


def fired(timer: Timer) -> TimerFired:
    """The command by which `timer` comes."""
    return TimerFired(
        workspace=WORKSPACE, desk=DESK, timer=timer.name, subject=timer.subject, due_at=timer.due_at
    )


@pytest.fixture
def scene() -> Scene:
    """Lan is being answered; Minh and Tuan wait, the rule's patience ends a minute after they came."""
    scene = Scene()
    for command in (ROSTER, route("lan"), route("minh"), route("tuan")):
        scene.log.wait(seconds=1)
        scene.do(command)
    return scene


def urgent_at(scene: Scene, user: str) -> datetime:
    """When a customer has waited long enough."""
    queued_at = scene.conversation(user).queued_at
    assert queued_at is not None
    return queued_at + timedelta(seconds=PATIENCE_S)


def armed(scene: Scene) -> list[Timer]:
    """The timers of the desk as it stands."""
    return timers_of_desk(scene.desk, scene.log.now)


def test_a_conversation_has_the_timers_that_its_fields_say() -> None:
    of_nothing = Conversation(UUID(int=1), key_of("lan"), "zalo:100")
    assert timers_of(of_nothing) == []
    of_all = of_nothing._replace(
        offer_expires_at=LATER,
        transfer=Transfer("an", None, ("an",), "agent:acme/binh", "1", LATER),
        blocked_until=LATER,
        absent_until=LATER,
        quiet_until=LATER,
    )
    assert timers_of(of_all) == [Timer(name, of_all.key, LATER) for name in OF_CONVERSATION]


def test_who_has_waited_long_enough_goes_before_those_who_came_later(scene: Scene) -> None:
    (timer,) = armed(scene)
    assert (timer.name, timer.subject) == ("urgent", "chia-deu")
    assert timer.due_at == urgent_at(scene, "minh")
    scene.log.wait(seconds=PATIENCE_S - 1)
    (urgent,) = scene.do(fired(timer))
    assert isinstance(urgent, Queued)
    assert (urgent.key, urgent.priority, urgent.standing) == (key_of("minh"), 1, "queued")
    assert urgent.queued_at == scene.conversation("minh").queued_at


def test_all_who_have_waited_long_enough_are_urgent_and_keep_their_order(scene: Scene) -> None:
    (timer,) = armed(scene)
    scene.log.wait(seconds=2 * PATIENCE_S)
    scene.do(route("moi"))
    assert [event.key for event in scene.do(fired(timer))] == [key_of("minh"), key_of("tuan")]
    assert [waiting.key for waiting in scene.desk.queue.line("chia-deu")] == [
        key_of("minh"),
        key_of("tuan"),
        key_of("moi"),
    ]
    (next_,) = armed(scene)
    assert next_.due_at == urgent_at(scene, "moi")


def test_what_the_log_has_before_its_time_does_nothing_and_stays_armed(scene: Scene) -> None:
    (timer,) = armed(scene)
    assert scene.do(fired(timer)) == []
    assert armed(scene) == [timer]


def test_what_is_not_armed_any_more_does_nothing(scene: Scene) -> None:
    (timer,) = armed(scene)
    scene.log.wait(seconds=PATIENCE_S)
    scene.do(session_ended("minh"))
    assert scene.do(fired(timer)) == []
    of_unknown = Timer("offer", key_of("nobody"), timer.due_at)
    assert scene.do(fired(of_unknown)) == []


@pytest.mark.servers
class TestStored:
    """Timers on Postgres: armed with the state, taken once, armed anew when they came too early."""

    async def test_what_is_due_is_published_once_and_only_for_the_lanes_asked(self, world: World) -> None:
        await world.handle(ROSTER, route("lan"), route("minh"))
        due_ms = BEGIN_MS + 3 + PATIENCE_S * 1000
        lane = world.record(route("lan")).lane
        assert await self._take(world, [lane], due_ms - 1) == []
        assert await self._take(world, [(lane + 1) % 6], due_ms) == []
        (due,) = await self._take(world, [lane], due_ms)
        assert TimerFired.model_validate_json(due.value).due_at == moment(due_ms)
        assert (due.lane, due.key) == (lane, b"acme:main")
        assert await self._take(world, [lane], due_ms) == []

    @pytest.mark.parametrize("restarts", [False, True])
    async def test_what_came_too_early_comes_again(self, world: World, *, restarts: bool) -> None:
        await world.handle(ROSTER, route("lan"), route("minh"))
        due_ms = BEGIN_MS + 3 + PATIENCE_S * 1000
        for at_ms, priority in ((due_ms - 1, 2), (due_ms, 1)):
            (due,) = await self._take(world, range(6), due_ms)
            if restarts:
                world.handler = DeskHandler(6)
            await world.handle(world.record(TimerFired.model_validate_json(due.value), at_ms=at_ms))
            assert (await world.stored())[key_of("minh")].priority == priority
        assert await self._rows(world) == []

    @pytest.mark.parametrize("restarts", [False, True])
    async def test_what_is_on_its_way_does_not_come_again_when_another_timer_changes(
        self, world: World, *, restarts: bool
    ) -> None:
        absent = rule_with("an", offline_grace_s=GRACE_S)
        roster = configure([an_agent("an"), an_agent("binh")], [absent])
        await world.handle(roster, alive(), presence("binh", "online"), route("lan"))
        until = (await world.stored())[key_of("lan")].absent_until
        assert until is not None
        until_ms = round(until.timestamp() * 1000)
        (due,) = await self._take(world, range(6), until_ms)
        if restarts:
            world.handler = DeskHandler(6)
        asked = ask(AskTransfer, "lan", "an", to_agent="binh")
        await world.handle(asked)
        assert (await world.stored())[key_of("lan")].transfer is not None
        assert await self._take(world, range(6), until_ms) == []
        fired_at = world.record(TimerFired.model_validate_json(due.value), at_ms=until_ms - 1)
        await world.handle(fired_at)
        assert [one.id for one in await self._take(world, range(6), until_ms)] == [due.id]

    async def test_what_is_on_its_way_to_a_desk_does_not_come_again_after_a_restart(
        self, world: World
    ) -> None:
        await world.handle(ROSTER, route("lan"), route("minh"))
        due_ms = BEGIN_MS + 3 + PATIENCE_S * 1000
        (due,) = await self._take(world, range(6), due_ms)
        world.handler = DeskHandler(6)
        await world.handle(route("moi"))
        assert await self._take(world, range(6), due_ms) == []
        command = TimerFired.model_validate_json(due.value)
        await world.handle(world.record(command, at_ms=due_ms - 1))
        assert [one.id for one in await self._take(world, range(6), due_ms)] == [due.id]
        await world.handle(session_ended("minh"), session_ended("moi"))
        await world.handle(world.record(command, at_ms=due_ms))
        assert await self._rows(world) == []

    async def test_a_timer_goes_with_what_it_was_for(self, world: World) -> None:
        await world.handle(ROSTER, route("lan"), route("minh"))
        assert len(await self._rows(world)) == 1
        world.handler = DeskHandler(6)
        await world.handle(session_ended("minh"))
        assert await self._rows(world) == []

    async def _take(self, world: World, lanes: Sequence[int], now_ms: int) -> list[TimerDue]:
        async with world.connection.transaction():
            return list(await world.handler.due_timers(world.connection, lanes, now_ms, 10))

    async def _rows(self, world: World) -> list[object]:
        return list(await world.connection.fetch("SELECT * FROM desk_timer"))
