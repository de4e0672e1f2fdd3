"""Bulk: one thing about many conversations, each decided by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from schemas.asks import Bulk, LinkOrder, Subject
from schemas.assignments import Assigned, Blocked, CareChanged
from schemas.definitions import Agent
from schemas.ids import conversation_id
from schemas.outcomes import Done, Refused
from tests.desk.flows import give_policy
from tests.desk.log import DESK, WORKSPACE, a_rule, an_agent, configure, key_of, route
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


@pytest.mark.parametrize(
    "what",
    ["release", "take_over", "take_off", "follow", "unfollow", "mute", "unmute", "block", "unblock"],
)
def test_every_kind_is_carried_out(scene: Scene, what: str) -> None:
    by = "an" if what == "release" else "chu"
    assert scene.do(bulk(what, by, "lan", "tuan"))[-1].result["done"] == 2


def test_an_agent_keeps_the_senders_of_spam_out_at_once(scene: Scene) -> None:
    events = scene.do(bulk("block", "an", "lan", "tuan", "minh", days=30, reason="spam"))
    blocked = [event for event in events if isinstance(event, Blocked)]
    assert [(event.key, event.reason, event.by) for event in blocked] == [
        (key_of("lan"), "spam", "agent:acme/an"),
        (key_of("tuan"), "spam", "agent:acme/an"),
    ]
    assert {event.until for event in blocked} == {blocked[0].at + timedelta(days=30)}
    assert {event.command for event in blocked} == {"block-an"}
    assert [one["code"] for one in events[-1].result["refused"]] == ["not_holder"]
    assert scene.do(bulk("unblock", "chu", *USERS))[-1].result == {"done": 3, "refused": []}
    assert not any(one.blocked for one in scene.desk.conversations.values())


def test_what_waits_is_served_in_turn_when_a_bulk_of_blocks_makes_room(scene: Scene) -> None:
    """Each makes room for one: nobody has more than he may."""
    agents: list[Agent | str] = [an_agent("an", 2), "binh", "chi", "chu"]
    scene.do(configure(agents, [a_rule("an")], idempotency_key="two"))
    for user in ("hoa", "cuc"):
        scene.do(route(user))
    events = scene.do(bulk("block", "an", "lan", "tuan"))
    assert [(event.key, event.holder) for event in events if isinstance(event, Assigned)] == [
        (key_of("hoa"), "an"),
        (key_of("cuc"), "an"),
    ]


def test_a_block_has_one_of_the_reasons_of_blocks() -> None:
    """`reason` is one word of two lists: of care it is one of the policy's."""
    assert bulk("set_care", "an", "lan", care="refused", reason="gia-cao").reason == "gia-cao"
    assert bulk("block", "an", "lan", reason="spam").reason == "spam"
    with pytest.raises(ValidationError, match="one of these: spam, abuse, fraud, other"):
        bulk("block", "an", "lan", reason="gia-cao")


def test_muting_many_is_of_who_asks_alone(scene: Scene) -> None:
    assert scene.do(bulk("mute", "an", "lan", "tuan"))[-1].result["done"] == 2
    assert scene.conversation("lan").muted == scene.conversation("tuan").muted == {"an"}
    (refused,) = scene.do(bulk("mute", "chi", "lan"))[-1].result["refused"]
    assert refused["code"] == "forbidden"


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
