"""Bulk: one thing about many conversations, each decided by itself."""

from __future__ import annotations

import pytest

from schemas.asks import Bulk, LinkOrder, Subject
from schemas.assignments import Assigned, CareChanged
from schemas.ids import conversation_id
from schemas.outcomes import Done, Refused
from tests.desk.flows import give_policy
from tests.desk.log import DESK, WORKSPACE, a_rule, configure, key_of, route
from tests.desk.scene import Scene

USERS = ("lan", "minh", "tuan")


@pytest.fixture
def scene() -> Scene:
    """An holds lan and tuan, binh holds minh; `chu` is the page's admin."""
    scene = Scene()
    scene.do(configure(["an", "binh", "chi", "chu"], [a_rule("an", "binh")]))
    for user in USERS:
        scene.do(route(user))
    return scene


def bulk(what: str, by: str, *users: str, **fields: object) -> Bulk:
    named = {"workspace": WORKSPACE, "desk": DESK, "actor": f"agent:acme/{by}", "by": by}
    subjects = [Subject(conversation=conversation_id(key_of(user)), key=key_of(user)) for user in users]
    return Bulk.model_validate(
        {**named, "idempotency_key": f"{what}-{by}", "what": what, "subjects": subjects, **fields}
    )


def test_an_admin_appoints_many_with_one_outcome(scene: Scene) -> None:
    events = scene.do(bulk("appoint", "chu", *USERS, agent="chi"))
    assert [event.holder for event in events if isinstance(event, Assigned)] == ["chi"] * 3
    assert {event.why.command for event in events if isinstance(event, Assigned)} == {"appoint-chu"}
    assert [type(event) for event in events if not hasattr(event, "key")] == [Done]
    assert events[-1].result == {"done": 3, "refused": []}
    assert events[-1].command == "bulk"


def test_each_is_refused_by_itself(scene: Scene) -> None:
    give_policy(scene)
    events = scene.do(bulk("set_care", "an", *USERS, "la", care="closed_won"))
    assert [event.key for event in events if isinstance(event, CareChanged)] == [
        key_of("lan"),
        key_of("tuan"),
    ]
    result = events[-1].result
    assert result["done"] == 2
    assert [(one["key"], one["code"]) for one in result["refused"]] == [
        (key_of("minh"), "not_holder"),
        (key_of("la"), "unknown_conversation"),
    ]
    assert result["refused"][0]["sentence"]


def test_the_same_conversation_twice_is_decided_twice(scene: Scene) -> None:
    done = scene.do(bulk("take_off", "chu", "lan", "lan", then="pool"))[-1]
    assert [one["code"] for one in done.result["refused"]] == ["bad_transition"]


@pytest.mark.parametrize("what", ["release", "take_over", "take_off", "follow", "unfollow"])
def test_every_kind_is_carried_out(scene: Scene, what: str) -> None:
    by = "an" if what == "release" else "chu"
    assert scene.do(bulk(what, by, "lan", "tuan"))[-1].result["done"] == 2


@pytest.mark.parametrize(("what", "needs"), [("appoint", "agent"), ("set_care", "care")])
def test_what_lacks_its_object_is_refused_as_a_whole(scene: Scene, what: str, needs: str) -> None:
    (refused,) = scene.do(bulk(what, "chu", *USERS))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.allowed) == ("incomplete", (needs,))


def test_a_repetition_does_nothing(scene: Scene) -> None:
    command = bulk("take_over", "chu", *USERS)
    scene.do(command)
    assert scene.do(command) == []


def test_a_warning_is_told_of_each_that_has_one(scene: Scene) -> None:
    give_policy(scene, order_checks={"pending_close": "warn"})
    ordered = {"workspace": WORKSPACE, "desk": DESK, "actor": "agent:acme/chu", "by": "chu", "order": "DH-1"}
    minh = {"conversation": conversation_id(key_of("minh")), "key": key_of("minh"), "status": "draft"}
    scene.do(LinkOrder(idempotency_key="order", **ordered, **minh))
    done = scene.do(bulk("set_care", "chu", "lan", "minh", care="pending_close"))[-1]
    assert isinstance(done, Done)
    assert (done.result["done"], [one["key"] for one in done.result["warned"]]) == (2, [key_of("lan")])
    assert done.result["warned"][0]["warning"] == "order_required"
