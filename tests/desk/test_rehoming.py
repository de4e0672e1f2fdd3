"""When rules change, nobody goes on waiting for what is not there any more."""

from __future__ import annotations

from schemas.assignments import Offered, Queued
from tests.desk.log import a_rule, an_agent, configure, key_of, route, session_ended
from tests.desk.scene import scene_with, served


def test_the_unrouted_are_dealt_when_a_rule_names_their_page() -> None:
    desk = scene_with(agents=("an",))
    for user in ("u1", "u2"):
        desk.do(route(user))
    events = desk.do(configure(["an"], [a_rule("an")], idempotency_key="second"))
    assert served(events) == [("u1", "an"), ("u2", "an")]


def test_an_offer_ends_when_its_rule_deals_otherwise() -> None:
    desk = scene_with(a_rule("an", method="self_claim"))
    desk.do(route("lan"))
    events = desk.do(configure(["an"], [a_rule("an")], idempotency_key="second"))
    assert served(events) == [("lan", "an")]
    desk.do(route("minh"))
    assert desk.conversation("minh").standing == "held"


def test_an_offer_that_its_rule_still_wants_stays_as_it_is() -> None:
    rules = [
        a_rule("an", fallback={"kind": "rule", "id": "other"}, method="self_claim"),
        a_rule("binh", id_="other", pages=(), method="self_claim"),
    ]
    away = an_agent("an").model_copy(update={"on_leave": True})
    desk = scene_with(*rules, agents=(away, "binh"))
    desk.do(route("lan"))
    assert desk.conversation("lan").audience == "rule:other/0"
    again = configure([away, "binh", "chi"], rules, idempotency_key="second")
    assert not [event for event in desk.do(again) if isinstance(event, (Offered, Queued))]


def test_who_waits_has_the_place_that_the_rule_gives_him_when_it_says_another() -> None:
    desk = scene_with(a_rule("an"), agents=(an_agent("an", 1), "chu"))
    for user in ("held", "minh"):
        desk.do(route(user))
    desk.do(route("lan").model_copy(update={"tags": ("vip",)}))
    roster = [an_agent("an", 1), an_agent("chu")]
    events = desk.do(configure(roster, [a_rule("an", vip_tags=["vip"])], idempotency_key="second"))
    assert [(one.key, one.priority) for one in events if isinstance(one, Queued)] == [(key_of("lan"), 0)]
    assert served(desk.do(session_ended("held"))) == [("lan", "an")]
    desk.do(route("viet"))
    desk.log.wait(seconds=60)
    sooner = configure(roster, [a_rule("an", urgent_after_s=60)], idempotency_key="third")
    assert [one.priority for one in desk.do(sooner) if isinstance(one, Queued)] == [1, 1]
    assert served(desk.do(session_ended("lan"))) == [("minh", "an")]
