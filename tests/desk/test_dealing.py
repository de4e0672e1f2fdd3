"""Finding somebody: by load, by acquaintance, by fallback, and dear customers first."""

from __future__ import annotations

from schemas.asks import Appoint, Claim, Release
from schemas.assignments import Assigned, Queued, SessionOpened
from schemas.commands import Route
from tests.desk.log import PAGE, a_rule, an_agent, ask, configure, route, session_ended
from tests.desk.scene import Scene, restarted, scene_with, served, snapshot

MESSENGER = "messenger:7"
FACTS = {"tags": ("vip",)}


def vip(user: str) -> Route:
    """A dear customer wrote."""
    return route(user).model_copy(update=FACTS)


def test_the_least_busy_has_it_and_of_several_who_had_none_for_the_longest_time() -> None:
    desk = scene_with(a_rule("an", "binh", "chi", method="least_busy"))
    for user in ("u1", "u2", "u3"):
        desk.do(route(user))
    assert desk.holders() == ["an", "binh", "chi"]
    desk.do(session_ended("u2"))
    desk.do(session_ended("u3"))
    assert desk.do(route("u4"))[-1].holder == "binh"
    assert desk.do(route("u5"))[-1].holder == "chi"
    assert desk.do(route("u6"))[-1].holder == "an"
    why = desk.events(Assigned)[-1].why
    assert (why.method, why.eligible, why.cursor_after) == ("least_busy", 3, None)


def test_what_he_got_by_a_claim_an_appointment_or_a_transfer_is_a_new_one_too() -> None:
    rules = [
        a_rule("an", "binh", method="least_busy"),
        a_rule("an", "binh", id_="other", pages=(MESSENGER,), method="self_claim"),
    ]
    desk = Scene()
    desk.do(configure(("an", "binh", "chu"), rules, pages=(PAGE, MESSENGER)))
    desk.do(route("u1", page=MESSENGER))
    desk.do(ask(Claim, "u1", "an", page=MESSENGER))
    desk.do(session_ended("u1", page=MESSENGER))
    assert snapshot(restarted(desk.desk)) == snapshot(desk.desk)
    assert desk.do(route("u2"))[-1].holder == "binh"
    desk.do(session_ended("u2"))
    assert desk.do(route("u3"))[-1].holder == "an"
    desk.do(session_ended("u3"))
    desk.do(ask(Appoint, "u1", "chu", page=MESSENGER, agent="binh"))
    assert desk.do(route("u4"))[-1].holder == "an"


def test_the_least_busy_at_capacity_is_nobody() -> None:
    desk = scene_with(
        a_rule("an", "binh", method="least_busy"), agents=(an_agent("an", 1), an_agent("binh", 2))
    )
    for user in ("u1", "u2", "u3", "u4"):
        desk.do(route(user))
    assert desk.holders() == ["an", "binh", "binh"]
    (queued,) = desk.events(Queued)
    assert queued.passed_over == {"at_capacity": 2}
    assert served(desk.do(session_ended("u1"))) == [("u4", "an")]


def back_after(desk: Scene, **waited: float) -> Assigned:
    """Lan, whom an had when he left for another desk, comes back after a while."""
    desk.do(route("lan"))
    desk.do(session_ended("lan"))
    conversation = desk.conversation("lan")
    desk.desk.conversations[conversation.key] = conversation._replace(
        **conversation.without_holder(), last_holder="an", last_held_at=desk.log.now
    )
    desk.log.wait(**waited)
    assigned: Assigned = desk.do(route("lan", 2))[-1]
    return assigned


def test_a_customer_who_comes_back_in_time_goes_to_the_agent_he_had_and_no_turn_moves() -> None:
    desk = scene_with(a_rule("an", "binh", last_agent_s=3600))
    assigned = back_after(desk, minutes=59)
    assert (assigned.holder, assigned.why.method, assigned.why.cursor_after) == ("an", "last_agent", None)
    assert desk.desk.rings["chia-deu"].cursor == "an"


def test_later_he_goes_to_whose_turn_it_is() -> None:
    desk = scene_with(a_rule("an", "binh", last_agent_s=3600))
    assert back_after(desk, minutes=61).holder == "binh"


def test_with_nobody_eligible_another_rule_is_asked() -> None:
    other = a_rule("binh", id_="other", pages=())
    desk = scene_with(
        a_rule("an", fallback={"kind": "rule", "id": "other"}),
        other,
        agents=(an_agent("an", 1), "binh", "chu"),
    )
    desk.do(route("lan"))
    why = desk.do(route("minh"))[-1].why
    assert (why.method, why.rule, why.fallback_of, why.cursor_after) == (
        "round_robin",
        "other",
        "chia-deu",
        "binh",
    )


def test_the_named_agent_has_it_unless_he_is_full_himself() -> None:
    rule = a_rule("an", fallback={"kind": "agent", "id": "chu"})
    desk = scene_with(rule, agents=(an_agent("an", 1), an_agent("chu", 1)))
    for user in ("u1", "u2", "u3", "u4"):
        desk.do(route(user))
    assert desk.holders() == ["an", "chu"]
    assert desk.events(Assigned)[1].why.method == "fallback"
    assert served(desk.do(session_ended("u2"))) == [("u3", "chu")]


def test_rules_that_fall_back_on_each_other_end_in_the_queue() -> None:
    rules = [
        a_rule("an", id_=one, fallback={"kind": "rule", "id": other}, pages=pages)
        for one, other, pages in (("r1", "r2", [PAGE]), ("r2", "r1", []))
    ]
    desk = scene_with(*rules, agents=(an_agent("an", 1),))
    desk.do(route("u1"))
    assert desk.do(route("u2"))[-1].rule == "r1"


def test_dear_customers_go_first_then_those_who_waited_long_then_by_age() -> None:
    rule = a_rule("an", vip_tags=["vip"])
    desk = scene_with(rule, agents=(an_agent("an", 1), "chu"))
    for command in (route("u1"), route("u2"), vip("v1"), route("u3"), vip("v2")):
        desk.do(command)
    assert [event.priority for event in desk.events(Queued)] == [2, 0, 2, 0]
    order = []
    for user in ("u1", "v1", "v2", "u2"):
        order += served(desk.do(session_ended(user)))
    assert [user for user, _ in order] == ["v1", "v2", "u2", "u3"]


def test_an_agent_who_comes_back_to_a_rule_is_ranked_anew() -> None:
    desk = scene_with(a_rule("an", "binh", method="least_busy"), agents=("an", "binh", "chu"))
    desk.do(route("u1"))
    for key, listed in (("second", ("binh",)), ("third", ("an", "binh"))):
        rule = a_rule(*listed, method="least_busy")
        desk.do(configure(["an", "binh", "chu"], [rule], idempotency_key=key))
    assert [desk.do(route(user))[-1].holder for user in ("u2", "u3")] == ["binh", "an"]


def test_who_is_given_back_has_the_age_of_his_session_though_he_never_waited() -> None:
    desk = scene_with(a_rule("an", "binh"), agents=(an_agent("an", 1), an_agent("binh", 1)))
    for user in ("lan", "minh"):
        desk.do(route(user))
    desk.log.wait(minutes=1)
    desk.do(route("tuan"))
    desk.log.wait(minutes=3)
    assert served(desk.do(ask(Release, "lan", "an"))) == [("tuan", "an")]
    opened, lan = desk.events(SessionOpened)[0], desk.conversation("lan").waiting
    assert lan is not None
    assert (lan.queued_at, lan.queued_offset) == (opened.at, opened.cause.offset)
    desk.do(route("hoa"))
    desk.do(session_ended("minh"))
    assert desk.conversation("lan").holder == "binh"
