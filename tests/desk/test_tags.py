"""A customer's tags change while he waits or is answered: rules choose by them from then on."""

from __future__ import annotations

import pytest

from schemas.assignments import FactsChanged, Offered, Queued
from schemas.commands import Route, Touched
from tests.desk.flows import about, answered_outside, give_policy, names, silent, touched
from tests.desk.log import a_rule, an_agent, configure, route, session_ended
from tests.desk.scene import Scene, served

VIPS = a_rule("binh", id_="khach-vip", conditions={"tags": ["vip"]})
USUAL = a_rule("an", vip_tags=["vip"], urgent_after_s=600)


@pytest.fixture
def scene() -> Scene:
    """An is full; Binh is for customers with a tag, and full as well."""
    return scene_with(an_agent("an", 1), an_agent("binh", 1))


def scene_with(*agents: object) -> Scene:
    scene = Scene()
    scene.do(configure([*agents, "chu"], [VIPS, USUAL]))  # type: ignore[list-item]
    scene.do(route("first"))
    scene.do(tagged_route("binhs-first", "vip"))
    return scene


def tagged(user: str, *tags: str, by: str = "nobody") -> Touched:
    """These are the customer's tags now."""
    return about(Touched, user, by=by, tags=tags)


def tagged_route(user: str, *tags: str, opens_session: bool = True) -> Route:
    return route(user, opens_session=opens_session).model_copy(update={"tags": tags})


def test_who_waits_and_is_tagged_waits_for_the_rule_that_is_the_first_for_him_now(scene: Scene) -> None:
    scene.do(route("lan"))
    age = scene.conversation("lan").queued_at
    changed, queued = scene.do(tagged("lan", "vip"))
    assert isinstance(changed, FactsChanged)
    assert (changed.facts.tags, changed.facts.channel, changed.standing) == (("vip",), "zalo", "queued")
    assert isinstance(queued, Queued)
    assert (queued.rule, queued.queued_at) == ("khach-vip", age)
    assert served(scene.do(session_ended("binhs-first"))) == [("lan", "binh")]


def test_he_is_served_at_once_when_somebody_of_that_rule_is_free() -> None:
    scene = scene_with(an_agent("an", 1), an_agent("binh", 2))
    scene.do(route("lan"))
    events = scene.do(tagged("lan", "vip"))
    assert names(events) == ["FactsChanged", "Queued", "Assigned"]
    assert served(events) == [("lan", "binh")]


def test_a_vip_goes_before_those_who_wait_for_the_same_rule() -> None:
    scene = Scene()
    scene.do(configure([an_agent("an", 1)], [USUAL]))
    for user in ("first", "lan", "minh"):
        scene.do(route(user))
    _, queued = scene.do(tagged("minh", "vip"))
    assert (queued.priority, queued.rule) == (0, "chia-deu")
    assert served(scene.do(session_ended("first"))) == [("minh", "an")]


def test_who_is_a_vip_no_more_goes_back_to_his_place(scene: Scene) -> None:
    scene.do(tagged_route("lan", "vip"))
    changed, queued = scene.do(tagged("lan"))
    assert (changed.facts.tags, queued.rule, queued.priority) == ((), "chia-deu", 2)


def test_who_fits_no_rule_any_more_is_offered_to_the_page() -> None:
    scene = Scene()
    scene.do(configure([an_agent("binh", 1), "chu"], [VIPS]))
    for user in ("first", "lan"):
        scene.do(tagged_route(user, "vip"))
    _, offered = scene.do(tagged("lan"))
    assert isinstance(offered, Offered)
    assert (offered.unrouted, offered.audience) == (True, "page:zalo:100")
    *_, queued = scene.do(tagged("lan", "vip"))
    assert isinstance(queued, Queued)


def test_who_is_held_keeps_his_agent_and_is_dealt_by_his_tags_later(scene: Scene) -> None:
    (changed,) = scene.do(tagged("first", "vip"))
    assert (changed.holder, changed.standing) == ("an", "held")
    assert scene.conversation("first").facts == changed.facts


@pytest.mark.parametrize("by", ["customer", "agent", "nobody"])
def test_other_tags_of_a_silent_session_wake_it_when_somebody_wrote(by: str) -> None:
    scene = Scene()
    scene.do(configure([an_agent("an", 1)], [USUAL]))
    give_policy(scene, silent_after_s=600)
    scene.do(route("lan"))
    scene.do(silent("lan"))
    woken = ["SessionWoken"] if by != "nobody" else []
    assert names(scene.do(tagged("lan", "vip", by=by))) == [*woken, "FactsChanged"]


@pytest.mark.parametrize("by", ["customer", "agent", "nobody"])
def test_other_tags_say_nothing_of_an_agent_who_is_missed(by: str) -> None:
    scene = Scene()
    scene.do(configure(["an"], [USUAL.model_copy(update={"offline_grace_s": 60})]))
    scene.do(route("lan"))
    missed = scene.conversation("lan").absent_until
    scene.do(tagged("lan", "vip", by=by))
    assert missed is not None
    assert scene.conversation("lan").absent_until == (None if by == "agent" else missed)


def test_the_same_tags_again_say_nothing(scene: Scene) -> None:
    scene.do(tagged_route("lan", "vip", "gold"))
    assert scene.do(tagged("lan", "gold", "vip")) == []
    assert scene.do(touched("nobody")) == []
    scene.do(session_ended("lan"))
    assert scene.do(tagged("lan", "other")) == []


def test_a_route_within_a_session_tells_them_too() -> None:
    scene = Scene()
    scene.do(configure([an_agent("an", 1), "binh"], [VIPS, USUAL]))
    scene.do(route("lan"))
    scene.do(answered_outside("lan"))
    events = scene.do(tagged_route("lan", "vip", opens_session=False))
    assert names(events) == ["FactsChanged", "Confirmed"]
    assert scene.conversation("lan").facts is not None
