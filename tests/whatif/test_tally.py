"""What is counted of a stretch of a desk's life."""

from __future__ import annotations

from schemas.asks import Release
from tests.desk.log import a_rule, an_agent, ask, route, session_ended
from tests.desk.scene import scene_with
from workers.whatif.tally import Tally


def test_a_wait_begins_when_nobody_has_it_not_with_the_session_that_an_agent_had() -> None:
    scene, tally = scene_with(a_rule("an", "binh"), agents=("an", an_agent("binh", 1), "chu")), Tally(None)
    for user in ("lan", "minh"):
        scene.do(route(user))
    scene.log.wait(hours=2)
    scene.do(ask(Release, "lan", "an"))
    scene.log.wait(seconds=10)
    tally.note(scene.desk, scene.do(session_ended("minh")))
    assert tally.figures(scene.desk).wait_max_s == 10.001
    assert scene.conversation("lan").holder == "binh"


def test_who_never_had_anybody_has_waited_since_his_session_began() -> None:
    scene, tally = scene_with(a_rule("an"), agents=(an_agent("an", 1), "chu")), Tally(None)
    for user in ("lan", "minh"):
        scene.do(route(user))
    scene.log.wait(seconds=10)
    tally.note(scene.desk, scene.do(session_ended("lan")))
    assert tally.figures(scene.desk).wait_max_s == 10.001
