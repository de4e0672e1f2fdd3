"""Offers that go from ring to ring."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.asks import Claim, Release, SetCare, SetLeave
from schemas.assignments import Assigned, Offered, Presence
from schemas.commands import Configure, TimerFired
from tests.desk.flows import give_policy, rule_with
from tests.desk.log import DESK, WORKSPACE, a_rule, ask, configure, route, session_ended
from tests.desk.people import GATEWAY, alive, awaited, presence
from tests.desk.scene import Scene, scene_with, served


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


def test_who_let_it_pass_is_asked_in_the_next_session_and_who_gives_it_back_before_that_is_not() -> None:
    desk = ringing()
    expire(desk, "lan")
    desk.do(session_ended("lan"))
    assert desk.do(route("lan", 2))[-1].ring == 0
    expire(desk, "lan")
    desk.do(ask(Claim, "lan", "binh"))
    desk.do(session_ended("lan", 2))
    desk.do(ask(Release, "lan", "binh"))
    assert desk.do(route("lan", 3))[-1].agents == ("an",)


def test_who_let_it_pass_is_not_asked_again_in_a_later_ring() -> None:
    rings = [{"agents": ["an"]}, {"agents": ["an", "binh"]}]
    desk = scene_with(a_rule("an", method="self_claim", next_rings=rings, offer_timeout_s=30))
    desk.do(route("lan"))
    (second,) = expire(desk, "lan")
    assert (second.ring, second.agents) == (2, ("binh",))


class TestWhoComesAndGoes:
    """A rule that asks who is online: first an, after half a minute binh; chu is for the case of nobody."""

    def scene(self, *there: str, **options: object) -> Scene:
        rings = [{"agents": ["binh"]}]
        named = {"next_rings": rings, "offer_timeout_s": 30, "online_only": True, **options}
        desk = scene_with(rule_with("an", method="self_claim", **named))
        for agent in there:
            desk.do(presence(agent))
        desk.do(route("lan"))
        return desk

    def test_a_later_ring_is_asked_that_came_while_the_offer_stood(self) -> None:
        desk = self.scene("an")
        desk.do(presence("binh"))
        (second,) = expire(desk, "lan")
        assert (second.ring, second.agents, second.let_pass) == (1, ("binh",), ("an",))

    def test_a_later_ring_that_comes_when_the_time_is_over_is_asked_at_once_with_the_old_age(self) -> None:
        desk = self.scene("an")
        first = desk.events(Offered)[0]
        (again,) = expire(desk, "lan")
        assert (again.ring, again.expires_at) == (0, None)
        assert offers(desk.do(presence("an", "online", "g2"))) == []
        (second,) = offers(desk.do(presence("binh")))
        assert (second.ring, second.let_pass, second.queued_at) == (1, ("an",), first.queued_at)
        assert second.expires_at is None

    def test_who_comes_before_the_time_is_over_is_not_asked_yet(self) -> None:
        desk = self.scene("an")
        assert offers(desk.do(presence("binh"))) == []

    @pytest.mark.parametrize("gone", ["away", "offline"])
    def test_an_offer_whose_ring_has_gone_goes_to_the_next_that_is_there(self, gone: Presence) -> None:
        desk = self.scene("an", "binh")
        (offered,) = offers(desk.do(presence("an", gone)))
        assert (offered.ring, offered.agents) == (1, ("binh",))

    def test_an_offer_before_nobody_waits_until_somebody_comes(self) -> None:
        desk = self.scene("an")
        first = desk.events(Offered)[0]
        desk.do(presence("an", "offline"))
        waiting = desk.conversation("lan").waiting
        assert waiting is not None
        assert waiting.queued_at == first.queued_at
        (offered,) = offers(desk.do(presence("an")))
        assert (offered.ring, offered.queued_at) == (0, first.queued_at)

    def test_the_agent_whom_the_rule_falls_back_on_has_it_when_all_have_gone(self) -> None:
        desk = self.scene("an", "chu", fallback={"kind": "agent", "id": "chu"})
        assert served(desk.do(presence("an", "away"))) == [("lan", "chu")]

    def test_a_lost_gateway_takes_its_agents_away_at_once(self) -> None:
        desk = self.scene("an", "binh", "chu", fallback={"kind": "agent", "id": "chu"})
        desk.do(presence("chu", gateway="g2"))
        desk.log.wait(seconds=25)
        desk.do(alive("g2"))
        (lost,) = (one for one in awaited(desk, "gateway") if one.subject == GATEWAY)
        desk.log.wait(seconds=10)
        assert served(desk.do(lost)) == [("lan", "chu")]

    def test_an_offer_at_closing_time_waits_for_its_own_rule(self) -> None:
        office = {"stretches": [{"days": ["sat", "sun"], "begins": "08:00", "ends": "17:00"}]}
        desk = scene_with(
            a_rule("an", method="self_claim", online_only=True, conditions={"hours": office}),
            agents=("an", "chu"),
        )
        while not 8 <= (desk.log.now.hour + 7) % 24 < 17:  # in Saigon
            desk.log.wait(hours=1)
        desk.do(presence("an"))
        desk.do(route("lan"))
        assert desk.conversation("lan").standing == "offered"
        desk.log.wait(hours=10)
        desk.do(presence("an", "offline"))
        assert (desk.conversation("lan").standing, desk.conversation("lan").rule) == ("queued", "chia-deu")

    def test_an_agent_on_leave_hears_nothing_and_whom_he_leaves_alone_waits(self) -> None:
        desk = scene_with(
            a_rule("an", method="self_claim", fallback={"kind": "agent", "id": "chu"}), agents=("an", "chu")
        )
        desk.do(route("lan"))
        leave = {"workspace": WORKSPACE, "desk": DESK, "actor": "cli:me", "authority": "admin"}
        told = desk.do(
            SetLeave.model_validate({**leave, "idempotency_key": "k", "agent": "an", "on_leave": True})
        )
        assert served(told) == [("lan", "chu")]

    def test_what_he_himself_has_declined_does_not_call_him(self) -> None:
        desk = self.scene("an", "binh")
        expire(desk, "lan")
        desk.do(presence("binh", "offline"))
        assert desk.conversation("lan").standing == "queued"
        assert offers(desk.do(presence("an", "away"))) == []


def offers(events: list[Any]) -> list[Offered]:
    """The offers among these events."""
    return [event for event in events if isinstance(event, Offered)]


@pytest.mark.parametrize(
    "before", [{"next_rings": [{"agents": ["binh"]}]}, {"offer_timeout_s": 30}], ids=["a time", "a ring"]
)
def test_an_offer_whose_ring_is_given(before: dict[str, Any]) -> None:
    """It has all of its time from then on, and nobody has let it pass."""
    desk = scene_with(a_rule("an", method="self_claim", **before))
    desk.do(route("lan"))
    offered = [one for one in desk.do(given()) if isinstance(one, Offered)]
    assert [(one.ring, one.agents, one.let_pass) for one in offered] == [(0, ("an",), ())]
    assert desk.conversation("lan").offer_expires_at == desk.log.now + timedelta(seconds=30)
    (second,) = expire(desk, "lan")
    assert (second.ring, second.let_pass) == (1, ("an",))


def test_an_offer_whose_time_is_over_goes_on_to_who_comes_when_the_rule_is_written_anew() -> None:
    desk = scene_with(a_rule("an", method="self_claim", next_rings=[{}], offer_timeout_s=30))
    desk.do(route("lan"))
    (again,) = expire(desk, "lan")
    assert (again.ring, again.expires_at) == (0, None)
    (offered,) = (one for one in desk.do(given()) if isinstance(one, Offered))
    assert (offered.ring, offered.let_pass) == (1, ("an",))


def given() -> Configure:
    """The rule has a time and a ring behind its first."""
    rule = a_rule("an", method="self_claim", next_rings=[{"agents": ["binh"]}], offer_timeout_s=30)
    return configure(["an", "binh", "chi", "chu"], [rule], idempotency_key="given")


@pytest.mark.parametrize(("finished", "method"), [(True, "reopened"), (False, "last_agent")])
def test_whoever_had_it_is_the_rules_in_whatever_ring_he_stands(finished: bool, method: str) -> None:
    rings = [{"agents": ["binh"]}]
    rule = a_rule("an", method="self_claim", last_agent_s=3600, next_rings=rings, offer_timeout_s=30)
    desk = scene_with(rule)
    give_policy(desk, done_from=("accepted",))
    desk.do(route("lan"))
    expire(desk, "lan")
    desk.do(ask(Claim, "lan", "binh"))
    if finished:
        desk.do(ask(SetCare, "lan", "binh", care="done", outcome="won"))
        desk.do(session_ended("lan"))
        desk.do(route("lan", 2))
    else:
        back_with_the_rule(desk)
    assigned = desk.events(Assigned)[-1]
    assert (assigned.holder, assigned.why.method, assigned.why.owner) == ("binh", method, "chu")


def back_with_the_rule(desk: Scene) -> None:
    """He gave it back, which nobody else has heard of, and the customer comes again."""
    desk.do(ask(Release, "lan", "binh"))
    desk.do(session_ended("lan"))
    desk.do(route("lan", 2))
