"""Agents whose capacity changes, who go on leave, come back, or leave for good."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from schemas.asks import SetCapacity, SetCare, SetLeave
from schemas.assignments import Assigned, Offered, Queued, Unassigned
from schemas.base import Channel
from schemas.commands import Configure
from schemas.outcomes import Refused
from schemas.roster import AgentChanged
from tests.desk.flows import names
from tests.desk.log import DESK, WORKSPACE, a_rule, an_agent, ask, configure, key_of, route, session_ended
from tests.desk.scene import Scene

ADMIN = "chu"


def scene_with(*agents: str, capacity: int | None = None, users: Sequence[str] = ()) -> Scene:
    """A rule over these agents, and customers who have written."""
    scene = Scene()
    scene.do(configure([*(an_agent(agent, capacity) for agent in agents), ADMIN, "khach"], [a_rule(*agents)]))
    for user in users:
        scene.do(route(user))
    return scene


def set_capacity(
    agent: str,
    capacity: int | None,
    by: str = ADMIN,
    key: str = "c1",
    channels: dict[Channel, int] | None = None,
) -> SetCapacity:
    return SetCapacity(
        workspace=WORKSPACE,
        desk=DESK,
        actor=f"agent:acme/{by}",
        idempotency_key=key,
        by=by,
        agent=agent,
        capacity=capacity,
        channel_capacity=channels,
    )


def set_leave(agent: str, on_leave: bool = True, by: str = ADMIN, **fields: object) -> SetLeave:
    named = {"workspace": WORKSPACE, "desk": DESK, "actor": f"agent:acme/{by}", "by": by}
    key = {"idempotency_key": f"{agent}-{on_leave}-{by}"}
    return SetLeave.model_validate({**named, **key, "agent": agent, "on_leave": on_leave, **fields})


def test_more_capacity_serves_who_waits_and_less_takes_nothing_away() -> None:
    scene = scene_with("an", capacity=1, users=("lan", "minh"))
    changed, assigned, done = scene.do(set_capacity("an", 2))
    assert isinstance(changed, AgentChanged)
    assert (changed.agent.capacity, changed.version) == (2, 2)
    assert isinstance(assigned, Assigned)
    assert done.result == {"agent": "an", "capacity": 2, "channel_capacity": {}}
    scene.do(set_capacity("an", 1, key="c2"))
    assert scene.desk.duties["an"].load == 2
    assert isinstance(scene.do(route("tuan"))[-1], Queued)


def test_the_capacity_of_channels_changes_with_it_if_that_is_said() -> None:
    scene = scene_with("an", capacity=5)
    changed, _ = scene.do(set_capacity("an", 5, channels={"zalo": 1}))
    assert changed.agent.channel_capacity == {"zalo": 1}
    assert isinstance(scene.do(route("lan"))[-1], Assigned)
    assert isinstance(scene.do(route("minh"))[-1], Queued)
    changed, done = scene.do(set_capacity("an", 4, key="c2"))
    assert changed.agent.channel_capacity == {"zalo": 1}
    assert done.result == {"agent": "an", "capacity": 4, "channel_capacity": {"zalo": 1}}
    _, assigned, _ = scene.do(set_capacity("an", 4, key="c3", channels={}))
    assert isinstance(assigned, Assigned)


def test_the_same_capacity_again_is_done_and_changes_nothing() -> None:
    scene = scene_with("an", capacity=1)
    assert names(scene.do(set_capacity("an", 1))) == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (set_capacity("an", 5, by="an"), "forbidden"),
        (set_capacity("an", 5, by="khach"), "forbidden"),
        (set_capacity("khach", 5), "forbidden"),
        (set_capacity("ma", 5), "unknown_agent"),
        (set_leave("an", by="khach"), "forbidden"),
        (set_leave("ma"), "unknown_agent"),
    ],
)
def test_only_who_may_changes_an_agent(command: SetCapacity | SetLeave, code: str) -> None:
    scene = scene_with("an")
    (refused,) = scene.do(command)
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_whose_agent_works_for_others_pages_too_is_not_his_to_send_on_leave() -> None:
    """Naming him in a rule of one's own is not enough: his other customers are of another's page."""
    scene = Scene()
    agents = [an_agent(agent) for agent in ("an", "binh", ADMIN, "khach")]
    first, second = "zalo:100", "zalo:200"

    def of_rules(named: Sequence[str], key: str) -> Configure:
        rules = [a_rule(*named, id_="first", pages=[first]), a_rule("binh", id_="second", pages=[second])]
        command = configure(agents, rules, pages=(first, second), idempotency_key=key)
        pages = (command.pages[0], command.pages[1].model_copy(update={"admins": ("khach",)}))
        return command.model_copy(update={"pages": pages})

    scene.do(of_rules(("an",), "first"))
    scene.do(route("lan", page=second))
    assert outcome_of(scene, set_leave("binh")) == "forbidden"
    scene.do(of_rules(("an", "binh"), "second"))
    assert outcome_of(scene, set_leave("binh", idempotency_key="again")) == "forbidden"
    assert outcome_of(scene, set_capacity("binh", 1)) == "forbidden"
    assert scene.desk.conversations[key_of("lan", second)].holder == "binh"
    assert outcome_of(scene, set_capacity("an", 1, key="an")) == "done"
    assert outcome_of(scene, set_leave("binh", authority="admin", idempotency_key="all")) == "done"


def outcome_of(scene: Scene, command: SetCapacity | SetLeave) -> str:
    """What became of it."""
    said = scene.do(command)[-1]
    return said.code if isinstance(said, Refused) else "done"


def test_who_goes_on_leave_hands_all_his_customers_to_others_in_one_act() -> None:
    scene = scene_with("an", "binh", users=("lan", "minh", "tuan"))
    events = scene.do(set_leave("an", by="an"))
    assert names(events) == ["AgentChanged", "Unassigned", "Unassigned", "Assigned", "Assigned"]
    assert {event.how for event in events if isinstance(event, Unassigned)} == {"on_leave"}
    assert [event.key[-3:] for event in events if isinstance(event, Assigned)] == ["lan", "uan"]
    assert events[-1].result == {"agent": "an", "on_leave": True, "released": 2}
    assert {one.holder for one in scene.desk.conversations.values()} == {"binh"}


def test_those_of_a_leaver_wait_when_nobody_else_is_there_and_are_his_again_when_he_is_back() -> None:
    scene = scene_with("an", users=("lan",))
    assert isinstance(scene.do(set_leave("an"))[-2], Queued)
    assert scene.conversation("lan").care == "waiting"
    back = scene.do(set_leave("an", on_leave=False))
    assert [event.holder for event in back if isinstance(event, Assigned)] == ["an"]


def test_a_leaver_may_keep_them_or_give_them_to_the_pool() -> None:
    scene = scene_with("an", users=("lan",))
    assert names(scene.do(set_leave("an", then="keep"))) == ["AgentChanged"]
    scene.do(set_leave("an", on_leave=False))
    offered = scene.do(set_leave("an", then="pool", idempotency_key="again"))[-2]
    assert isinstance(offered, Offered)
    assert offered.audience == "page:zalo:100"


def test_what_has_no_session_is_released_and_waits_for_its_next_and_what_is_done_stays() -> None:
    scene = scene_with("an", users=("lan", "minh"))
    for care, fields in (("closed_won", {}), ("done", {"outcome": "won"})):
        scene.do(ask(SetCare, "minh", "an", care=care, **fields))
    scene.do(session_ended("lan"))
    events = scene.do(set_leave("an"))
    assert names(events) == ["AgentChanged", "Unassigned"]
    lan, minh = scene.conversation("lan"), scene.conversation("minh")
    assert (lan.holder, lan.standing, lan.care) == (None, "idle", "waiting")
    assert (minh.holder, minh.care) == ("an", "done")


def test_who_leaves_for_good_releases_what_he_held_behind_those_who_wait_already() -> None:
    scene = scene_with("an", "binh", capacity=1, users=("lan", "minh", "tuan"))
    agents = [an_agent("binh", 1), an_agent("chi", 1), an_agent(ADMIN)]
    events = scene.do(configure(agents, [a_rule("binh", "chi")], idempotency_key="second"))
    assert [(event.key[-4:], event.holder) for event in events if isinstance(event, Assigned)] == [
        ("tuan", "chi")
    ]
    assert scene.conversation("lan").standing == "queued"
    assert events[-1].result["conversations"] == {"released": 1}
    assert {event.how for event in events if isinstance(event, Unassigned)} == {"agent_removed"}


def test_a_file_that_sends_somebody_on_leave_releases_his_customers() -> None:
    scene = scene_with("an", "binh", users=("lan",))
    absent = an_agent("an").model_copy(update={"on_leave": True})
    events = scene.do(configure([absent, "binh", ADMIN], [a_rule("an", "binh")], idempotency_key="second"))
    assert [event.holder for event in events if isinstance(event, Assigned)] == ["binh"]
    again = configure([absent, "binh", ADMIN], [a_rule("an", "binh")], idempotency_key="third")
    assert names(scene.do(again)) == []
