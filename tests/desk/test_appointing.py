"""By a person's word: given back, named by an admin, taken over, taken off; who has declined is not asked."""

from __future__ import annotations

import pytest

from schemas.asks import Appoint, Claim, Release, TakeOff, TakeOver
from schemas.assignments import Assigned, Offered, Queued, Unassigned
from tests.desk.log import PAGE, a_rule, an_agent, ask, configure, route, session_ended
from tests.desk.scene import scene_with, served


def test_who_gives_it_back_is_not_asked_again_until_somebody_else_had_it() -> None:
    desk = scene_with(a_rule("an", "binh"), agents=("an", "binh", "chu"))
    desk.do(route("lan"))
    unassigned, assigned, done = desk.do(ask(Release, "lan", "an"))
    assert isinstance(unassigned, Unassigned)
    assert (unassigned.former_holder, unassigned.how, unassigned.asked_again) == ("an", "released", False)
    assert (unassigned.care, unassigned.holder, unassigned.standing) == ("waiting", None, "idle")
    assert (assigned.holder, assigned.care, assigned.epoch, assigned.former_holder) == (
        "binh",
        "accepted",
        2,
        None,
    )
    assert done.result["holder"] == "binh"
    assert desk.conversation("lan").declined == frozenset()
    assert desk.do(ask(Release, "lan", "binh"))[1].holder == "an"


def test_with_nobody_free_but_who_declined_it_waits_and_others_are_served_past_it() -> None:
    desk = scene_with(a_rule("an", "binh"), agents=(an_agent("an", 1), an_agent("binh", 1), "chu"))
    for user in ("lan", "hoa", "minh"):
        desk.do(route(user))
    events = desk.do(ask(Release, "lan", "an"))
    queued = next(event for event in events if isinstance(event, Queued))
    assert queued.passed_over == {"declined": 1, "at_capacity": 1}
    assert served(events) == [("minh", "an")]
    assert desk.conversation("lan").standing == "queued"
    assert served(desk.do(session_ended("hoa"))) == [("lan", "binh")]


class TestWhenAllHaveDeclined:
    """Nobody of the rule is left, whatever it says of refusals: it is in the pool, for whoever takes it."""

    def test_it_is_in_the_pool_of_its_page_and_he_himself_may_take_it_again(self) -> None:
        desk = scene_with(a_rule("an"), agents=("an", "chu"))
        desk.do(route("lan"))
        offered = desk.do(ask(Release, "lan", "an"))[1]
        assert isinstance(offered, Offered)
        assert (offered.audience, offered.rule, offered.unrouted) == (f"page:{PAGE}", "chia-deu", False)
        desk.do(ask(Claim, "lan", "an"))
        assert desk.conversation("lan").holder == "an"

    def test_in_the_next_session_he_is_asked_as_if_it_were_the_first(self) -> None:
        desk = scene_with(a_rule("an"), agents=("an", "chu"))
        desk.do(route("lan"))
        desk.do(ask(Release, "lan", "an"))
        desk.do(session_ended("lan"))
        desk.log.wait(days=3)
        assert desk.do(route("lan", 2))[-1].holder == "an"

    def test_not_while_somebody_is_left_on_whom_it_falls_back(self) -> None:
        rule = a_rule("an", fallback={"kind": "agent", "id": "binh"})
        desk = scene_with(rule, agents=("an", an_agent("binh", 1), "chu"))
        desk.do(route("minh"))
        desk.do(ask(Appoint, "minh", "chu", agent="binh"))
        desk.do(route("lan"))
        desk.do(ask(Release, "lan", "an"))
        assert desk.conversation("lan").standing == "queued"
        assert served(desk.do(session_ended("minh"))) == [("lan", "binh")]

    def test_who_waits_for_the_last_one_left_is_in_the_pool_when_he_is_removed(self) -> None:
        desk = scene_with(a_rule("an", "binh"), agents=("an", an_agent("binh", 1), "chu"))
        for user in ("lan", "minh"):
            desk.do(route(user))
        desk.do(ask(Release, "lan", "an"))
        assert desk.conversation("lan").standing == "queued"
        desk.do(configure(["an", "chu"], [a_rule("an")], idempotency_key="second"))
        assert desk.conversation("lan").audience == f"page:{PAGE}"


def test_who_declined_is_passed_over_and_the_turn_goes_on_behind_the_chosen_one() -> None:
    desk = scene_with(a_rule("an", "binh", "chi"))
    desk.do(route("lan"))
    desk.do(ask(Release, "lan", "an"))
    desk.do(route("minh"))
    events = desk.do(ask(TakeOff, "minh", "chu"))
    assert desk.holders() == ["an", "binh", "chi", "an"]
    why = next(event for event in events if isinstance(event, Assigned)).why
    assert (why.cursor_before, why.cursor_after, why.eligible) == ("chi", "an", 2)
    desk.do(route("tuan"))
    desk.do(route("hoa"))
    events = desk.do(ask(Release, "hoa", "chi"))
    assert desk.holders()[-3:] == ["binh", "chi", "an"]


def test_a_refused_one_keeps_its_age() -> None:
    desk = scene_with(a_rule("an"), agents=(an_agent("an", 1), "chu"))
    for user in ("u1", "u2", "u3"):
        desk.do(route(user))
    desk.do(session_ended("u1"))
    queued_at = desk.events(Queued)[0].queued_at
    desk.do(ask(Release, "u2", "an"))
    assert desk.conversation("u2").queued_at == queued_at


def test_after_refusal_the_pool_when_the_rule_says_so() -> None:
    desk = scene_with(a_rule("an", after_refusal="pool"), a_rule("binh", id_="other"))
    desk.do(route("lan"))
    offer = desk.do(ask(Release, "lan", "an"))[1]
    assert isinstance(offer, Offered)
    assert (offer.audience, offer.unrouted, offer.rule) == (f"page:{PAGE}", False, "chia-deu")
    assert desk.do(ask(Claim, "lan", "binh"))[-1].result["holder"] == "binh"
    assert desk.do(ask(Claim, "lan", "an"))[0].details["winner"] == "binh"


def test_without_an_open_session_nobody_is_asked() -> None:
    desk = scene_with(a_rule("an", "binh"))
    desk.do(route("lan"))
    desk.do(session_ended("lan"))
    unassigned, done = desk.do(ask(Release, "lan", "an"))
    assert (unassigned.standing, done.result["standing"]) == ("idle", "idle")
    assert desk.do(route("lan", 2))[-1].holder == "binh"


def test_only_its_holder_gives_it_back() -> None:
    desk = scene_with(a_rule("an"))
    desk.do(route("lan"))
    (refused,) = desk.do(ask(Release, "lan", "binh"))
    assert (refused.code, refused.allowed) == ("not_holder", ())
    (refused,) = desk.do(ask(Release, "lan", "chu"))
    assert (refused.code, refused.allowed) == ("not_holder", ("take_off",))


def test_an_admin_takes_over_from_the_holder_and_out_of_the_queue() -> None:
    desk = scene_with(a_rule("an"), agents=(an_agent("an", 1), "chu"))
    for user in ("u1", "u2", "u3"):
        desk.do(route(user))
    assigned, done = desk.do(ask(TakeOver, "u2", "chu"))
    assert (assigned.holder, assigned.former_holder, assigned.why.method) == ("chu", None, "take_over")
    assert assigned.why.queued_at is not None
    assert done.result["holder"] == "chu"
    events = desk.do(ask(TakeOver, "u1", "chu"))
    assert (events[0].former_holder, events[0].epoch, events[0].care) == ("an", 2, "accepted")
    assert served(events) == [("u1", "chu"), ("u3", "an")]
    assert len(desk.do(ask(TakeOver, "u1", "chu"))) == 1


def test_appointing_goes_beyond_capacity_and_leave_and_says_so() -> None:
    away = an_agent("an", 1).model_copy(update={"on_leave": True})
    desk = scene_with(a_rule("binh"), agents=(away, "binh", "chu"))
    for user in ("u1", "u2"):
        desk.do(route(user))
    assert {"on_leave"} <= set(desk.do(ask(Appoint, "u1", "chu", agent="an"))[0].why.exceeds)
    assert {"on_leave", "capacity"} <= set(desk.do(ask(Appoint, "u2", "chu", agent="an"))[0].why.exceeds)
    assert desk.desk.rings["chia-deu"].cursor == "binh"


@pytest.mark.parametrize("authority", ["agent", "admin"])
def test_only_admins_of_the_page_or_workspace_appoint_take_over_and_take_off(authority: str) -> None:
    desk = scene_with(a_rule("an", "binh"))
    desk.do(route("lan"))
    for command in (
        ask(Appoint, "lan", "chi", authority=authority, agent="chi"),
        ask(TakeOver, "lan", "binh", authority=authority),
        ask(TakeOff, "lan", "chi", authority=authority),
    ):
        outcome = desk.do(command)[-1]
        assert getattr(outcome, "code", "done") == ("done" if authority == "admin" else "forbidden")


def test_what_admins_ask_that_makes_no_sense_is_refused() -> None:
    desk = scene_with(a_rule(), agents=("an",))
    desk.do(route("lan"))
    assert desk.do(ask(TakeOff, "lan", "chu"))[0].code == "bad_transition"
    assert desk.do(ask(Appoint, "lan", "chu", agent="la"))[0].code == "unknown_agent"
    assert desk.do(ask(TakeOver, "lan", "chu"))[0].code == "unknown_agent"
    assert desk.do(ask(TakeOver, "lan", None, authority="admin"))[0].code == "forbidden"
    assert desk.conversation("lan").standing == "queued"


def test_giving_back_what_was_done_begins_its_next_round() -> None:
    desk = scene_with(a_rule("an", "binh"))
    desk.do(route("lan"))
    conversation = desk.conversation("lan")
    desk.desk.conversations[conversation.key] = conversation._replace(care="done", outcome="won")
    unassigned = desk.do(ask(Release, "lan", "an"))[0]
    assert (unassigned.care, unassigned.round) == ("waiting", 2)
