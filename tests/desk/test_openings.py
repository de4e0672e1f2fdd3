"""A rule's business hours begin: who waits and is its own now is served first, whatever the log has next."""

from __future__ import annotations

from datetime import time, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from schemas.assignments import Assigned, Offered, Queued
from schemas.commands import Command, Touched
from schemas.definitions import Conditions, Fallback, Hours, Rule, Stretch
from tests.desk.flows import about, touched
from tests.desk.log import a_rule, an_agent, configure, key_of, route, session_ended
from tests.desk.people import alive, awaited, presence
from tests.desk.scene import Scene, loaded, served, snapshot
from tests.desk.world import PARTITIONS, World
from workers.routing.desk.decide import carry_out
from workers.routing.desk.handler import DeskHandler
from workers.routing.desk.matching import rule_for
from workers.routing.hours import WEEKDAYS


def open_from(begins: int, ends: int, rule: Rule) -> Rule:
    """The rule, open daily between these hours of UTC."""
    stretch = Stretch(days=WEEKDAYS, begins=time(begins), ends=time(ends))
    hours = Hours(time_zone="UTC", stretches=(stretch,))
    return rule.model_copy(update={"conditions": Conditions(hours=hours)})


DAY = open_from(8, 17, a_rule("an", id_="ngay"))
NIGHT = a_rule("binh", id_="dem", online_only=True)
EVENING_OF_AN = open_from(18, 23, a_rule("an", id_="toi"))


def until(scene: Scene, hour: int, **beyond: float) -> None:
    """Let time pass until it is that hour of UTC, and a while more."""
    now = scene.log.now
    then = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    then += timedelta(days=then <= now, **beyond)
    scene.log.wait(seconds=(then - now).total_seconds())


def by_night(*rules: Rule) -> Scene:
    """These rules at ten in the evening; an is there, binh is not."""
    scene = Scene()
    scene.do(configure(["an", "binh", "chu"], rules))
    until(scene, 22)
    scene.do(presence("an"))
    return scene


@pytest.mark.parametrize(
    "first", [alive(), presence("chu"), route("moi"), touched("lan"), session_ended("x")]
)
@pytest.mark.parametrize("rules", [(DAY,), (DAY, NIGHT)], ids=["of no rule", "of another rule"])
def test_no_command_comes_between_an_opening_and_who_waited_for_it(
    rules: tuple[Rule, ...], first: Command
) -> None:
    scene = by_night(*rules)
    scene.do(route("lan"))
    assert scene.conversation("lan").holder is None
    until(scene, 8, milliseconds=50)
    assert served(scene.do(first))[0] == ("lan", "an")


def test_its_timer_serves_him_when_nothing_else_comes() -> None:
    scene = by_night(DAY, NIGHT)
    scene.do(route("lan"))
    age = scene.conversation("lan").queued_at
    (opening,) = awaited(scene, "hours")
    assert (opening.due_at.hour, opening.subject) == (8, "ngay")
    until(scene, 8)
    queued, assigned = scene.do(opening)
    assert isinstance(queued, Queued)
    assert (queued.rule, queued.queued_at) == ("ngay", age)
    assert isinstance(assigned, Assigned)
    assert assigned.holder == "an"
    assert awaited(scene, "hours") == []


def test_who_waits_when_it_closes_keeps_his_rule_and_his_place() -> None:
    scene = Scene()
    scene.do(configure([an_agent("an", 1), "binh", "chu"], [DAY, NIGHT]))
    until(scene, 16)
    for user in ("lan", "minh"):
        scene.do(route(user))
    until(scene, 22)
    scene.do(presence("binh"))
    assert scene.conversation("minh").rule == "ngay"
    assert served(scene.do(session_ended("lan"))) == [("minh", "an")]


def test_who_waits_when_it_closes_is_the_nights_where_it_falls_back_on_that() -> None:
    scene = Scene()
    day = DAY.model_copy(update={"fallback": Fallback(kind="rule", id="dem")})
    scene.do(configure([an_agent("an", 1), "binh", "chu"], [day, NIGHT]))
    until(scene, 16)
    for user in ("lan", "minh"):
        scene.do(route(user))
    until(scene, 22)
    assert served(scene.do(presence("binh"))) == [("minh", "binh")]


def test_an_offer_of_the_night_is_not_left_to_those_who_went_home() -> None:
    scene = by_night(DAY, a_rule("binh", id_="dem", method="self_claim"))
    assert isinstance(scene.do(route("lan"))[-1], Offered)
    until(scene, 8, milliseconds=50)
    assert served(scene.do(alive())) == [("lan", "an")]


def test_an_earlier_rule_that_is_added_has_at_once_who_waits_for_a_later_one() -> None:
    scene = by_night(NIGHT)
    scene.do(route("lan"))
    events = scene.do(configure(["an", "binh", "chu"], [a_rule("an"), NIGHT], idempotency_key="second"))
    assert served(events) == [("lan", "an")]


def test_who_waits_for_a_rule_that_has_closed_leaves_it_when_his_tags_fit_it_no_more() -> None:
    hours = DAY.conditions.hours
    vips = a_rule("an", id_="vip").model_copy(update={"conditions": Conditions(hours=hours, tags=("vip",))})
    scene = Scene()
    scene.do(configure([an_agent("an", 1), "binh", "chu"], [vips, NIGHT]))
    until(scene, 16)
    for user in ("lan", "minh"):
        scene.do(route(user).model_copy(update={"tags": ("vip",)}))
    until(scene, 22)
    scene.do(about(Touched, "minh", by="nobody", tags=("vip", "gold")))
    assert scene.conversation("minh").rule == "vip"
    scene.do(about(Touched, "minh", by="nobody", tags=("gold",)))
    assert scene.conversation("minh").rule == "dem"


@pytest.mark.servers
async def test_a_worker_that_was_down_at_the_opening_serves_first_who_waited_for_it(world: World) -> None:
    await world.handle(configure(["an", "binh", "chu"], [EVENING_OF_AN, NIGHT]), route("lan"))
    (timer,) = await world.connection.fetch("SELECT timer, subject, due_at FROM desk_timer")
    opening_ms = round(timer["due_at"].timestamp() * 1000)
    assert (timer["timer"], timer["subject"], timer["due_at"].hour) == ("hours", "toi", 18)
    world.handler = DeskHandler(PARTITIONS)
    await world.handle(world.record(alive(), at_ms=opening_ms + 50))
    assert (await world.stored())[key_of("lan")].holder == "an"
    assert not await world.connection.fetch("SELECT FROM desk_timer WHERE timer = 'hours'")


EVENING = open_from(18, 23, a_rule("binh", id_="toi", method="self_claim"))
DESK = configure(
    [an_agent("an", 1), an_agent("binh", 2), "chu"],
    [open_from(8, 12, a_rule("an", id_="sang")), EVENING, DAY, NIGHT],
)
someone = st.sampled_from(("lan", "minh", "tuan", "hoa"))
happenings = st.one_of(
    st.builds(route, someone, st.integers(1, 3)),
    st.builds(session_ended, someone, st.integers(1, 3)),
    st.builds(presence, st.sampled_from(("an", "binh")), st.sampled_from(("online", "offline"))),
    st.just(alive()),
)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 10 * 60), happenings), max_size=25))
def test_at_no_time_somebody_waits_though_an_earlier_rule_has_opened(
    steps: list[tuple[int, Command]],
) -> None:
    scene = Scene()
    scene.do(DESK)
    for minutes, command in steps:
        scene.log.wait(minutes=minutes)
        scene.log.offset += 1
        other = loaded(scene.desk)
        place = scene.log.next()
        decided = carry_out(scene.desk, command, place)
        assert carry_out(other, command, place) == decided, "a restart has changed what is decided"
        assert snapshot(other) == snapshot(scene.desk)
        order = list(scene.desk.roster.rules)
        waiting = [one for one in scene.desk.conversations.values() if one.waited_since]
        for one in waiting:
            first = rule_for(scene.desk, one, scene.log.now)
            assert first is None or order.index(first.definition.id) >= order.index(one.rule or "")
        openings = [due.due_at - scene.log.now for due in awaited(scene, "hours")]
        assert [timedelta(0) < wait <= timedelta(hours=14) for wait in openings] == [True] * bool(waiting)
