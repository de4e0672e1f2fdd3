"""An agent is not there when his customer writes: what follows says the rule by which he has him."""

from __future__ import annotations

import pytest

from schemas.asks import Appoint, Claim, Release
from schemas.assignments import HolderAbsent
from tests.desk.flows import come, names, rule_with, run_out, touched
from tests.desk.log import an_agent, ask, configure, route, session_ended
from tests.desk.scene import Scene
from workers.routing.desk.timers import timers_of

GRACE_S = 60
ALL_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def a_scene(*rules: object, agents: object = ("an", "binh", "chu")) -> Scene:
    """A desk with these rules, of which everybody is offline but binh."""
    scene = Scene()
    scene.do(configure(agents, rules))  # type: ignore[arg-type]
    come(scene, "binh")
    return scene


def grace(scene: Scene, user: str) -> float | None:
    """For how long his agent is waited for, if he is."""
    until = scene.conversation(user).absent_until
    return None if until is None else (until - scene.log.now).total_seconds()


def test_who_is_dealt_to_somebody_offline_is_not_left_with_him() -> None:
    scene = a_scene(rule_with("an", "binh", offline_grace_s=GRACE_S))
    assert names(scene.do(route("lan"))) == ["SessionOpened", "Assigned", "HolderAbsent"]
    assert (scene.conversation("lan").holder, grace(scene, "lan")) == ("an", GRACE_S)
    assert names(run_out(scene, "offline")) == ["Unassigned", "Offered"]
    scene.do(ask(Claim, "lan", "binh"))
    assert (scene.conversation("lan").holder, grace(scene, "lan")) == ("binh", None)


def test_so_is_who_waited_for_him() -> None:
    scene = a_scene(rule_with("an", offline_grace_s=GRACE_S), agents=(an_agent("an", 1), "chu"))
    for user in ("lan", "minh"):
        scene.do(route(user))
    assert names(scene.do(session_ended("lan"))) == ["SessionClosed", "Assigned", "HolderAbsent"]
    assert grace(scene, "minh") == GRACE_S


def test_so_is_whom_another_has_given_back() -> None:
    scene = a_scene(rule_with("an", "binh", offline_grace_s=GRACE_S))
    for user in ("lan", "minh"):
        scene.do(route(user))
    events = scene.do(ask(Release, "minh", "binh"))
    assert names(events) == ["Unassigned", "Assigned", "HolderAbsent"]


def test_who_is_there_is_not_missed_nor_whom_a_person_names() -> None:
    scene = a_scene(rule_with("binh", offline_grace_s=GRACE_S))
    assert names(scene.do(route("lan"))) == ["SessionOpened", "Assigned"]
    assert names(scene.do(ask(Appoint, "lan", "chu", agent="an"))) == ["Assigned"]
    assert names(scene.do(touched("lan"))) == ["HolderAbsent"]


@pytest.mark.parametrize("hours", [0, 9])
def test_the_rule_that_gave_it_counts_at_night_too(hours: int) -> None:
    office = {"hours": {"stretches": [{"days": ALL_DAYS, "begins": "15:00", "ends": "17:00"}]}}
    rules = (
        rule_with("an", conditions=office, offline_grace_s=GRACE_S),
        rule_with("binh", id="dem", online_only=True),
    )
    scene = a_scene(*rules)  # half past three in the afternoon in Saigon
    come(scene, "an")
    scene.do(route("lan"))
    assert (scene.conversation("lan").holder, scene.conversation("lan").rule) == ("an", "chia-deu")
    come(scene, "an", presence="offline")
    scene.log.wait(hours=hours)
    (told,) = scene.do(touched("lan"))
    assert isinstance(told, HolderAbsent)
    assert grace(scene, "lan") == GRACE_S


def test_a_rule_that_fell_back_on_another_gives_its_own_time() -> None:
    rules = (
        rule_with("chu", online_only=True, offline_grace_s=GRACE_S, fallback={"kind": "rule", "id": "khac"}),
        rule_with("an", id="khac", pages=()),
    )
    scene = a_scene(*rules)
    scene.do(route("lan"))
    assert (scene.conversation("lan").holder, scene.conversation("lan").rule) == ("an", "chia-deu")
    assert grace(scene, "lan") == GRACE_S


def test_his_next_session_is_of_the_rule_that_matches_then() -> None:
    scene = a_scene(rule_with("an", offline_grace_s=GRACE_S))
    scene.do(route("lan"))
    scene.do(session_ended("lan"))
    assert (scene.conversation("lan").rule, timers_of(scene.conversation("lan"))) == (None, [])
    assert names(scene.do(route("lan", 2))) == ["SessionOpened", "HolderAbsent"]
