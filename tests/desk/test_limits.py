"""Limits: capacity of channels, leave, gaps between new conversations, so many in a window, hours."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from schemas.asks import Release
from schemas.assignments import Assigned, Offered, Queued
from schemas.definitions import Agent, Conditions, Hours, Rule, Stretch, Window
from tests.desk.log import PAGE, a_rule, an_agent, ask, configure, route, session_ended
from tests.desk.people import awaited, presence
from tests.desk.scene import Scene, restarted, served, snapshot
from workers.routing.desk.timers import timers_of_desk

MESSENGER = "messenger:7"


def scene_with(*agents: Agent | str, **of_rule: object) -> Scene:
    """A desk with one rule over all its agents and two pages."""
    scene = Scene()
    ids = [agent if isinstance(agent, str) else agent.id for agent in agents]
    rule = a_rule(*ids, pages=[PAGE, MESSENGER])
    rule = Rule.model_validate({**rule.model_dump(), **of_rule})
    scene.do(configure(agents, [rule], pages=[PAGE, MESSENGER]))
    return scene


def test_a_channels_own_capacity_bars_from_that_channel_only() -> None:
    scene = scene_with(an_agent("an").model_copy(update={"channel_capacity": {"zalo": 1}}))
    scene.do(route("lan"))
    queued = scene.do(route("minh"))[-1]
    assert isinstance(queued, Queued)
    assert isinstance(scene.do(route("tuan", page=MESSENGER))[-1], Assigned)
    assert scene.desk.duties["an"].loads == {"zalo": 1, "messenger": 1}
    assert scene.do(session_ended("lan"))[-1].key == scene.conversation("minh").key


def test_a_capacity_that_is_lifted_serves_who_waits() -> None:
    limited = an_agent("an").model_copy(update={"channel_capacity": {"zalo": 1}})
    scene = scene_with(limited)
    for user in ("lan", "minh"):
        scene.do(route(user))
    wider = configure(["an"], [a_rule("an")], idempotency_key="second")
    assert [event.holder for event in scene.do(wider) if isinstance(event, Assigned)] == ["an"]
    assert not any(scene.desk.full.values())


def test_who_is_on_leave_is_passed_over() -> None:
    scene = scene_with(an_agent("an").model_copy(update={"on_leave": True}), "binh")
    assigned = scene.do(route("lan"))[-1]
    assert (assigned.holder, assigned.why.passed_over) == ("binh", {"on_leave": 1})


def test_the_first_one_online_does_not_get_the_nights_backlog() -> None:
    scene = scene_with("an", online_only=True, gap_s=60)
    for user in ("lan", "minh", "tuan"):
        scene.do(route(user))
    scene.do(presence("an"))
    assert scene.holders() == ["an"]
    for waited in (2, 3):
        (due,) = awaited(scene, "limits")
        scene.log.wait(seconds=59)
        assert scene.do(due) == []
        scene.log.wait(seconds=2)
        scene.do(due)
        assert scene.holders() == ["an"] * waited
    assert awaited(scene, "limits") == []


def test_a_limit_that_has_ended_serves_the_oldest_before_any_newcomer() -> None:
    scene = scene_with("an", gap_s=60)
    for user in ("lan", "minh"):
        scene.do(route(user))
    scene.log.wait(seconds=61)
    events = scene.do(route("tuan"))
    assert [event.key for event in events if isinstance(event, Assigned)] == [scene.conversation("minh").key]
    assert isinstance(events[-1], Queued)
    assert events[-1].passed_over == {"gap": 1}


def test_so_many_in_a_window() -> None:
    scene = scene_with("an", window=Window(conversations=2, seconds=600))
    for number in range(5):
        scene.do(route(f"u{number}"))
    assert scene.holders() == ["an"] * 2
    (due,) = awaited(scene, "limits")
    scene.log.wait(seconds=601)
    scene.do(due)
    assert scene.holders() == ["an"] * 4


def test_limits_are_of_the_agent_and_others_take_their_turns() -> None:
    scene = scene_with("an", "binh", gap_s=60)
    for number in range(3):
        scene.do(route(f"u{number}"))
    assert scene.holders() == ["an", "binh"]
    assert scene.conversation("u2").standing == "queued"


def test_a_limit_is_named_only_if_it_alone_keeps_somebody_waiting() -> None:
    scene = scene_with("an", an_agent("binh", 1), gap_s=600)
    for user in ("lan", "minh"):
        scene.do(route(user))
    queued = [one for one in scene.do(ask(Release, "lan", "an")) if isinstance(one, Queued)]
    assert [(one.limit, one.passed_over["gap"]) for one in queued] == [(None, 1)], "an has declined it"
    assert scene.do(route("tuan"))[-1].limit == "gap"


def test_a_restart_forgets_no_limit() -> None:
    scene = scene_with("an", "binh", gap_s=60, window=Window(conversations=3, seconds=600))
    for number in range(5):
        scene.do(route(f"u{number}"))
        scene.do(presence("an", "away"))
        assert snapshot(restarted(scene.desk)) == snapshot(scene.desk)
        scene.log.wait(seconds=30)


def test_a_rule_without_limits_any_more_bars_nobody() -> None:
    scene = scene_with("an", gap_s=60)
    for user in ("lan", "minh"):
        scene.do(route(user))
    scene.do(configure(["an"], [a_rule("an")], idempotency_key="second"))
    assert scene.holders() == ["an", "an"]
    assert scene.desk.limited == frozenset()


def test_outside_of_its_hours_a_rule_gets_nothing_and_when_they_begin_what_nobody_took() -> None:
    office = Stretch(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), begins=time(8), ends=time(17))
    scene = scene_with("an", conditions=Conditions(hours=Hours(stretches=(office,))))
    while scene.log.now.hour != 13:  # eight in the evening in Saigon
        scene.log.wait(hours=1)
    offered = scene.do(route("lan"))[-1]
    assert isinstance(offered, Offered)
    assert offered.unrouted
    (opening,) = awaited(scene, "hours")
    assert opening.due_at.hour == 1
    scene.log.wait(hours=11)
    assert scene.do(opening) == []
    scene.log.wait(hours=2)
    assert scene.do(opening)[-1].holder == "an"
    assert awaited(scene, "hours") == []


@pytest.mark.parametrize("gap_s", [None, 60])
def test_what_a_person_decides_is_not_counted(gap_s: int | None) -> None:
    scene = scene_with("an", gap_s=gap_s)
    scene.do(route("lan"))
    assert len(scene.desk.duties["an"].given) == (gap_s is not None)


class TestWhomARuleFallsBackOn:
    """Chu is named for the case that nobody of the rule is there; an is full."""

    @pytest.fixture
    def scene(self) -> Scene:
        scene = Scene()
        rule = a_rule("an", fallback={"kind": "agent", "id": "chu"}, gap_s=60)
        scene.do(configure([an_agent("an", 1), "chu"], [rule]))
        for user in ("lan", "minh", "tuan"):
            scene.do(route(user))
        return scene

    def test_the_limits_of_the_rule_hold_for_him(self, scene: Scene) -> None:
        assert scene.holders() == ["an", "chu"]
        assert scene.conversation("tuan").standing == "queued"

    def test_who_waits_is_served_when_they_end(self, scene: Scene) -> None:
        (lifted,) = awaited(scene, "limits")
        assert lifted.due_at == scene.desk.duties["chu"].given[0] + timedelta(seconds=60)
        scene.log.wait(seconds=60)
        assert served(scene.do(lifted)) == [("tuan", "chu")]
        assert awaited(scene, "limits") == []

    def test_who_waits_goes_before_who_comes_when_the_timer_is_late(self, scene: Scene) -> None:
        scene.log.wait(seconds=61)
        assert served(scene.do(route("hoa"))) == [("tuan", "chu")]
        assert scene.conversation("hoa").standing == "queued"

    def test_another_worker_knows_when_they_end(self, scene: Scene) -> None:
        fresh = restarted(scene.desk)
        assert snapshot(fresh) == snapshot(scene.desk)
        assert timers_of_desk(fresh, scene.log.now) == timers_of_desk(scene.desk, scene.log.now)
