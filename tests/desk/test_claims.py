"""Claims of offered conversations: one has it, and everybody else learns what became of it."""

from __future__ import annotations

import pytest

from schemas.asks import Appoint, Block, Claim, Release, ReplyClaim
from schemas.assignments import Assigned, Confirmed, Offered, Queued, ReplyRefused
from schemas.definitions import Department, Rule, Team
from schemas.outcomes import Done, Refused
from tests.desk.log import a_rule, an_agent, ask, configure, route
from tests.desk.scene import Scene

AGENTS = ("an", "binh", "chi", "chu", "khach")


def offered(*, reply_claims: bool = False) -> Scene:
    """A desk where an and binh may claim, and one customer whom nobody has yet."""
    return scene(a_rule("an", "binh", method="self_claim", reply_claims=reply_claims))


def scene(*rules: Rule) -> Scene:
    """A desk with these rules, and one customer."""
    desk = Scene()
    sale = Department(id="sale", name="Bán hàng", agents=("chi",))
    desk.do(configure(AGENTS, rules, departments=[sale]))
    desk.do(route("lan"))
    return desk


def test_self_claim_offers_to_all_of_the_rule() -> None:
    (offer,) = offered().events(Offered)
    assert (offer.audience, offer.agents, offer.unrouted) == ("rule:chia-deu/0", ("an", "binh"), False)
    assert (offer.rule, offer.ring, offer.expires_at, offer.care) == ("chia-deu", 0, None, "new")
    assert offer.queued_at == offer.at


def test_the_first_to_claim_has_it() -> None:
    desk = offered()
    assigned, done = desk.do(command := ask(Claim, "lan", "binh"))
    assert isinstance(assigned, Assigned)
    assert (assigned.holder, assigned.care, assigned.epoch) == ("binh", "accepted", 1)
    why = assigned.why
    assert (why.method, why.rule, why.by) == ("claim", "chia-deu", "agent:acme/binh")
    assert why.command == command.idempotency_key
    assert why.cursor_after is None
    assert isinstance(done, Done)
    assert done.result["holder"] == "binh"
    assert desk.conversation("lan").audience is None


def test_of_a_thousand_who_claim_at_once_one_wins_and_each_other_learns_who_and_how_much_earlier() -> None:
    agents = [f"a{number}" for number in range(1_000)]
    desk = Scene()
    desk.do(configure(agents, [a_rule(*agents, method="self_claim")]))
    desk.do(route("lan"))
    outcomes = [desk.do(ask(Claim, "lan", agent))[-1] for agent in (*agents[500:], *agents[:500])]
    assert isinstance(outcomes[0], Done)
    assert [outcome.code for outcome in outcomes[1:]] == ["taken"] * 999
    assert [outcome.details for outcome in outcomes[1:]] == [
        {"winner": "a500", "earlier_ms": ms} for ms in range(1, 1_000)
    ]
    assert len(desk.events(Assigned)) == 1


def test_a_claim_again_by_its_holder_is_done_and_changes_nothing() -> None:
    desk = offered()
    desk.do(ask(Claim, "lan", "an"))
    (done,) = desk.do(ask(Claim, "lan", "an"))
    assert isinstance(done, Done)
    assert done.result["epoch"] == 1


def test_a_claim_may_exceed_capacity_and_says_so() -> None:
    desk = Scene()
    desk.do(configure([an_agent("an", 1)], [a_rule("an", method="self_claim")]))
    for user in ("lan", "minh"):
        desk.do(route(user))
        desk.do(ask(Claim, user, "an"))
    first, second = (event.why.exceeds for event in desk.events(Assigned))
    assert "capacity" not in first
    assert "capacity" in second


@pytest.mark.parametrize("agent", ["chi", "khach"])
def test_who_is_not_asked_learns_nothing(agent: str) -> None:
    desk = offered()
    for _ in range(2):
        (refused,) = desk.do(ask(Claim, "lan", agent))
        assert (refused.code, refused.details) == ("not_listed", {})
        assert "an" not in refused.allowed
        desk.do(ask(Claim, "lan", "an"))


def test_an_admin_may_take_over_what_is_not_offered_to_him() -> None:
    (refused,) = offered().do(ask(Claim, "lan", "chu"))
    assert (refused.code, refused.allowed) == ("not_listed", ("take_over", "appoint"))


def test_a_loser_is_allowed_what_he_may_do() -> None:
    desk = offered()
    desk.do(ask(Claim, "lan", "binh"))
    (loser,) = desk.do(ask(Claim, "lan", "an"))
    assert (loser.code, loser.allowed) == ("taken", ())
    (admin,) = desk.do(ask(Claim, "lan", "an", authority="admin"))
    assert (admin.code, admin.allowed) == ("taken", ("take_over", "appoint"))


def test_who_claims_what_its_admin_has_blocked_is_not_told_to_unblock_it() -> None:
    desk = offered()
    desk.do(ask(Block, "lan", "chu"))
    assert [desk.do(ask(Claim, "lan", who))[0].allowed for who in ("an", "chu")] == [(), ("unblock",)]


def test_a_service_has_no_hands() -> None:
    (refused,) = offered().do(ask(Claim, "lan", None))
    assert refused.code == "forbidden"


def test_what_waits_in_the_queue_is_not_offered() -> None:
    desk = Scene()
    desk.do(configure([an_agent("an", 1)], [a_rule("an")]))
    desk.do(route("lan"))
    desk.do(route("minh"))
    (refused,) = desk.do(ask(Claim, "minh", "an"))
    assert refused.code == "not_listed"
    assert "waits" in refused.sentence


def test_an_unknown_conversation_and_an_unknown_agent_are_told() -> None:
    desk = offered()
    assert desk.do(ask(Claim, "ai-do", "an"))[0].code == "unknown_conversation"
    assert desk.do(ask(Claim, "lan", "la"))[0].code == "unknown_agent"
    desk.desk.elsewhere["la"] = "acme:other"
    assert desk.do(ask(Claim, "lan", "la"))[0].code == "other_desk"


def test_an_unrouted_conversation_is_offered_to_the_agents_and_admins_of_its_page() -> None:
    desk = scene(a_rule("an", conditions={"tags": ["vip"]}))
    (offer,) = desk.events(Offered)
    assert (offer.audience, offer.unrouted) == ("page:zalo:100", True)
    assert desk.do(ask(Claim, "lan", "binh"))[0].code == "not_listed"
    assert desk.do(ask(Claim, "lan", "chu"))[-1].result["holder"] == "chu"
    assert desk.do(ask(Claim, "lan", "an"))[0].code == "taken"


def test_admins_are_offered_what_they_shall_appoint() -> None:
    desk = scene(a_rule("an", "binh", method="appoint"))
    (offer,) = desk.events(Offered)
    assert offer.audience == "admins:zalo:100"
    assert desk.do(ask(Claim, "lan", "an"))[0].code == "not_listed"
    assigned, done = desk.do(ask(Appoint, "lan", "chu", agent="binh"))
    assert (assigned.holder, assigned.why.method, assigned.why.by) == ("binh", "appoint", "agent:acme/chu")
    assert isinstance(done, Done)


def test_with_nobody_at_work_it_waits_until_somebody_is() -> None:
    away = an_agent("an").model_copy(update={"on_leave": True})
    desk = Scene()
    desk.do(configure([away], [a_rule("an", method="self_claim")]))
    assert isinstance(desk.do(route("lan"))[-1], Queued)
    events = desk.do(configure(["an"], [a_rule("an", method="self_claim")], idempotency_key="second"))
    (offer,) = (event for event in events if isinstance(event, Offered))
    assert offer.queued_at == desk.events(Queued)[0].queued_at


def test_a_ring_without_anybody_is_passed_over() -> None:
    desk = scene(a_rule(method="self_claim", next_rings=[Team(), Team(departments=["sale"])]))
    (offer,) = desk.events(Offered)
    assert (offer.audience, offer.ring, offer.agents) == ("rule:chia-deu/2", 2, ("chi",))


def test_a_reply_claims_where_its_rule_says_so() -> None:
    desk = offered(reply_claims=True)
    assigned, done = desk.do(command := ask(ReplyClaim, "lan", "an"))
    assert (assigned.holder, assigned.why.method) == ("an", "reply")
    assert assigned.why.command == command.idempotency_key
    assert isinstance(done, Done)


def test_a_reply_of_the_pages_admin_claims_there_too_though_others_are_asked() -> None:
    desk = offered(reply_claims=True)
    (refused,) = desk.do(ask(Claim, "lan", "chu"))
    assert refused.code == "not_listed"
    assigned, _ = desk.do(ask(ReplyClaim, "lan", "chu"))
    assert (assigned.holder, assigned.why.method) == ("chu", "reply")
    assert desk.do(ask(ReplyClaim, "lan", "binh"))[-1].details["winner"] == "chu"


def test_a_reply_of_the_pages_admin_that_comes_too_late_is_told_who_was_first() -> None:
    desk = offered(reply_claims=True)
    desk.do(ask(Claim, "lan", "an"))
    *_, refused = desk.do(ask(ReplyClaim, "lan", "chu"))
    assert (refused.code, refused.details) == ("taken", {"winner": "an", "earlier_ms": 1})


def test_a_reply_of_who_holds_it_by_now_is_confirmed() -> None:
    desk = offered(reply_claims=True)
    desk.do(ask(Claim, "lan", "an"))
    confirmed, done = desk.do(command := ask(ReplyClaim, "lan", "an"))
    assert isinstance(confirmed, Confirmed)
    assert confirmed.command == command.idempotency_key
    assert isinstance(done, Done)


def test_a_reply_too_late_or_not_allowed_is_refused_to_its_sender_and_to_who_keeps_it() -> None:
    desk = offered(reply_claims=True)
    desk.do(ask(Claim, "lan", "an"))
    event, refused = desk.do(command := ask(ReplyClaim, "lan", "binh"))
    assert isinstance(event, ReplyRefused)
    assert isinstance(refused, Refused)
    assert (event.code, event.command) == ("taken", command.idempotency_key)
    told = event.sentence, event.allowed, event.details
    assert told == (refused.sentence, refused.allowed, refused.details)
    assert event.details == {"winner": "an", "earlier_ms": 1}
    assert desk.conversation("lan").seq == 3
    assert offered().do(ask(ReplyClaim, "lan", "an"))[-1].code == "forbidden"


def test_a_key_used_for_another_command_is_refused_though_the_bodies_are_alike() -> None:
    desk = offered()
    desk.do(ask(Claim, "lan", "an", idempotency_key="one"))
    (refused,) = desk.do(ask(Release, "lan", "an", idempotency_key="one"))
    assert refused.code == "key_reused"
    assert desk.conversation("lan").holder == "an"
