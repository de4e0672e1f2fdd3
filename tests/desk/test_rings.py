"""Offers that go from ring to ring."""

from __future__ import annotations

from typing import Any

from schemas.asks import Claim, Release
from schemas.assignments import Offered
from schemas.commands import TimerFired
from tests.desk.log import DESK, WORKSPACE, a_rule, ask, route, session_ended
from tests.desk.scene import Scene, scene_with


def expire(desk: Scene, user: str) -> list[Any]:
    """The time of its offer is over."""
    conversation = desk.conversation(user)
    due_at = conversation.offer_expires_at
    assert due_at is not None
    desk.log.wait(seconds=(due_at - desk.log.now).total_seconds())
    return desk.do(
        TimerFired(workspace=WORKSPACE, desk=DESK, timer="offer", subject=conversation.key, due_at=due_at)
    )


def ringing() -> Scene:
    """A rule that asks an first, then binh, then chi, each for half a minute."""
    rings = [{"agents": ["binh"]}, {"agents": ["chi"]}]
    desk = scene_with(a_rule("an", method="self_claim", next_rings=rings, offer_timeout_s=30))
    desk.do(route("lan"))
    return desk


def test_an_offer_goes_from_ring_to_ring_and_stays_with_the_last() -> None:
    desk = ringing()
    first = desk.events(Offered)[0]
    assert first.expires_at is not None
    assert (first.expires_at - first.at).total_seconds() == 30
    (second,) = expire(desk, "lan")
    assert (second.audience, second.agents, second.let_pass) == ("rule:chia-deu/1", ("binh",), ("an",))
    assert second.queued_at == first.queued_at
    (third,) = expire(desk, "lan")
    assert (third.ring, third.expires_at) == (2, None)
    assert desk.conversation("lan").declined == {"an", "binh"}


def test_a_claim_of_a_ring_whose_time_is_over_is_told_so_and_later_who_won() -> None:
    desk = ringing()
    expire(desk, "lan")
    assert desk.do(ask(Claim, "lan", "an"))[0].code == "expired"
    assert desk.do(ask(Claim, "lan", "chi"))[0].code == "not_listed"
    desk.do(ask(Claim, "lan", "binh"))
    assert desk.do(ask(Claim, "lan", "an"))[0].details["winner"] == "binh"
    assert desk.do(ask(Claim, "lan", "chi"))[0].code == "not_listed"


def test_who_let_it_pass_is_not_asked_in_the_next_session() -> None:
    desk = ringing()
    expire(desk, "lan")
    desk.do(session_ended("lan"))
    assert desk.do(route("lan", 2))[-1].ring == 1
    desk.do(ask(Claim, "lan", "binh"))
    desk.do(session_ended("lan", 2))
    desk.do(ask(Release, "lan", "binh"))
    assert desk.do(route("lan", 3))[-1].agents == ("an",)
