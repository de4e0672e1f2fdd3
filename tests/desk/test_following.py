"""Following, muting and blocking: whose list a customer is on, who is told, who is kept out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.asks import (
    Block,
    Claim,
    ConversationAsk,
    Follow,
    Mute,
    TakeOff,
    Transfer,
    TransferAccept,
    Unblock,
    Unfollow,
    Unmute,
)
from schemas.assignments import Assigned, Blocked, Offered, Queued
from schemas.outcomes import Done, Refused
from tests.desk.flows import come, names, run_out
from tests.desk.log import a_rule, an_agent, ask, configure, key_of, route
from tests.desk.scene import Scene

ADMIN = "chu"


def scene_with(*agents: str, method: str = "round_robin") -> Scene:
    """Lan has written; `chu` is the page's admin, `khach` works elsewhere."""
    scene = Scene()
    rule = a_rule(*agents, method=method)
    scene.do(configure([*(an_agent(agent, 1) for agent in agents), ADMIN, "khach"], [rule]))
    scene.do(route("lan"))
    return scene


def test_being_given_a_customer_follows_him_until_unfollowed() -> None:
    scene = scene_with("an")
    assert scene.conversation("lan").followers == {"an"}
    unfollowed, done = scene.do(ask(Unfollow, "lan", "an"))
    assert (unfollowed.agent, unfollowed.holder, done.result) == ("an", "an", {"following": False})
    assert scene.conversation("lan").followers == set()


def test_an_admin_may_follow_any_conversation_of_his_page() -> None:
    scene = scene_with("an")
    followed, done = scene.do(ask(Follow, "lan", ADMIN))
    assert (followed.agent, done.result) == (ADMIN, {"following": True})
    assert scene.conversation("lan").followers == {"an", ADMIN}


@pytest.mark.parametrize("model", [Follow, Mute])
def test_who_is_only_asked_to_take_it_keeps_nothing_of_it(model: type[ConversationAsk]) -> None:
    """Whoever loses the race for it would be told of every later message."""
    scene = scene_with("an", "binh", method="self_claim")
    (refused,) = scene.do(ask(model, "lan", "binh"))
    assert refused.code == "forbidden"
    come(scene, "binh")
    scene.do(ask(Claim, "lan", "an"))
    scene.do(ask(Transfer, "lan", "an", to_agent="binh"))
    (refused,) = scene.do(ask(model, "lan", "binh"))
    assert refused.code == "forbidden"
    assert scene.conversation("lan").followers == {"an"}
    scene.do(ask(TransferAccept, "lan", "binh"))
    assert scene.conversation("lan").followers == {"an", "binh"}


@pytest.mark.parametrize("model", [Follow, Mute])
def test_what_is_not_ones_own_to_see_cannot_be_followed_or_muted(model: type[ConversationAsk]) -> None:
    scene = scene_with("an", "binh")
    for agent in ("khach", "binh"):
        (refused,) = scene.do(ask(model, "lan", agent))
        assert isinstance(refused, Refused)
        assert refused.code == "forbidden"
    (refused,) = scene.do(ask(model, "lan", "ma"))
    assert refused.code == "unknown_agent"
    (refused,) = scene.do(ask(model, "minh", "an"))
    assert refused.code == "unknown_conversation"


def test_mute_and_unmute_are_of_one_agent_and_end_when_it_is_given_anew() -> None:
    scene = scene_with("an")
    assert scene.do(ask(Mute, "lan", "an"))[-1].result == {"muted": True}
    scene.do(ask(Mute, "lan", ADMIN))
    assert scene.conversation("lan").muted == {"an", ADMIN}
    scene.do(ask(Unmute, "lan", "an"))
    assert scene.conversation("lan").muted == {ADMIN}
    scene.do(ask(Mute, "lan", "an"))
    scene.do(ask(TakeOff, "lan", ADMIN))
    scene.do(configure(["an", ADMIN], [a_rule("an")], idempotency_key="second"))
    assert "an" in scene.conversation("lan").muted


@pytest.mark.parametrize("model", [Follow, Unfollow, Mute, Unmute])
def test_the_same_again_is_done_and_changes_nothing(model: type[ConversationAsk]) -> None:
    scene = scene_with("an")
    scene.do(ask(model, "lan", "an"))
    (done,) = scene.do(ask(model, "lan", "an"))
    assert isinstance(done, Done)


def test_a_block_ends_by_itself() -> None:
    scene = scene_with("an")
    blocked, done = scene.do(ask(Block, "lan", "an", days=7))
    assert isinstance(blocked, Blocked)
    assert blocked.until == blocked.at + timedelta(days=7)
    assert (blocked.holder, blocked.standing) == ("an", "held")
    assert done.result["until"] is not None
    assert names(scene.do(route("lan", 2))) == ["SessionOpened"]
    assert names(run_out(scene, "block")) == ["Unblocked"]
    assert not scene.conversation("lan").blocked


def test_a_block_for_good_has_no_timer_and_ends_by_hand() -> None:
    scene = scene_with("an")
    assert scene.do(ask(Block, "lan", ADMIN))[-1].result == {"blocked": True, "until": None}
    with pytest.raises(ValueError, match="not enough values"):
        run_out(scene, "block")
    assert names(scene.do(ask(Unblock, "lan", ADMIN))) == ["Unblocked"]
    assert names(scene.do(ask(Unblock, "lan", ADMIN))) == []


def test_who_is_blocked_waits_no_more_and_is_wanted_again_when_let_in() -> None:
    scene = scene_with("an")
    assert isinstance(scene.do(route("minh"))[-1], Queued)
    blocked, _ = scene.do(ask(Block, "minh", ADMIN))
    assert (blocked.standing, blocked.care) == ("idle", "new")
    assert scene.desk.queue.rules() == []
    unblocked, queued, _ = scene.do(ask(Unblock, "minh", ADMIN))
    assert isinstance(queued, Queued)
    assert queued.queued_at < unblocked.at


def test_an_offer_to_take_a_blocked_customer_is_withdrawn() -> None:
    scene = scene_with("an", method="self_claim")
    assert scene.do(ask(Block, "lan", ADMIN))[0].standing == "idle"
    assert scene.conversation("lan").audience is None
    assert isinstance(scene.do(ask(Unblock, "lan", ADMIN))[1], Offered)


@pytest.mark.parametrize("model", [Block, Unblock])
def test_only_its_holder_and_the_pages_admins_block(model: type[ConversationAsk]) -> None:
    scene = scene_with("an", "binh")
    (refused,) = scene.do(ask(model, "lan", "binh"))
    assert (refused.code, refused.allowed) == ("not_holder", ())
    assert scene.desk.conversations[key_of("lan")].blocked is False
    assert len(scene.events(Assigned)) == 1
