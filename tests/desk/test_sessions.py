"""Routes and ends of sessions: what each says, and what it leaves behind."""

from __future__ import annotations

from schemas.assignments import Assigned, Confirmed, Offered, Queued, SessionClosed, SessionOpened
from tests.desk.log import PAGE, a_rule, an_agent, configure, route, session_ended
from tests.desk.scene import Scene


def scene_with(*capacities: int | None) -> Scene:
    """A desk with a rule over agents a0, a1, … of these capacities."""
    scene = Scene()
    agents = [an_agent(f"a{number}", capacity) for number, capacity in enumerate(capacities)]
    scene.do(configure(agents, [a_rule(*(agent.id for agent in agents))]))
    return scene


def test_a_first_message_opens_a_session_and_finds_an_agent() -> None:
    scene = scene_with(None, None)
    opened, assigned = scene.do(route("lan", position=1))
    assert isinstance(opened, SessionOpened)
    assert (opened.seq, opened.previous, opened.care, opened.standing) == (1, None, "new", "idle")
    assert (opened.round, opened.session, opened.epoch) == (1, 1, 0)
    assert isinstance(assigned, Assigned)
    assert (assigned.seq, assigned.previous) == (2, scene.decided[-2].id)
    assert (assigned.holder, assigned.standing, assigned.care, assigned.epoch) == (
        "a0",
        "held",
        "accepted",
        1,
    )
    assert assigned.former_holder is None
    assert assigned.after_position == 1


def test_an_assignment_says_why() -> None:
    scene = scene_with(1, None)
    scene.do(route("lan"))
    scene.do(route("minh"))
    why = scene.do(route("tuan"))[-1].why
    assert (why.method, why.rule, why.rule_version) == ("round_robin", "chia-deu", 1)
    assert (why.cursor_before, why.cursor_after) == ("a1", "a1")
    assert (why.eligible, why.passed_over) == (1, {"at_capacity": 1})
    assert [(one.agent, one.passed_over) for one in why.candidates] == [("a0", "at_capacity"), ("a1", None)]
    assert why.queued_at is None


def test_a_page_without_a_rule_is_offered_to_its_agents() -> None:
    scene = scene_with(None)
    opened, offered = scene.do(route("lan", page="zalo:999"))
    assert isinstance(opened, SessionOpened)
    assert isinstance(offered, Offered)
    assert (offered.audience, offered.unrouted, offered.care) == ("page:zalo:999", True, "new")
    assert (offered.standing, offered.holder) == ("offered", None)


def test_the_first_rule_that_names_the_page_wins() -> None:
    scene = Scene()
    rules = [a_rule("an", id_="r1", pages=["zalo:1"]), a_rule("binh", id_="r2"), a_rule("an", id_="r3")]
    scene.do(configure(["an", "binh"], rules, pages=["zalo:1", PAGE]))
    assert scene.do(route("lan"))[-1].why.rule == "r2"


def test_nobody_eligible_waits_and_the_oldest_is_served_first() -> None:
    scene = scene_with(1)
    scene.do(route("lan"))
    (_, queued) = scene.do(route("minh"))
    assert isinstance(queued, Queued)
    assert (queued.standing, queued.care, queued.holder) == ("queued", "new", None)
    assert (queued.rule, queued.passed_over, queued.queued_at) == ("chia-deu", {"at_capacity": 1}, queued.at)
    scene.do(route("tuan"))
    closed, assigned = scene.do(session_ended("lan"))
    assert isinstance(closed, SessionClosed)
    assert (closed.customer_messages, closed.agent_messages, closed.ended_by) == (2, 1, "silence")
    assert isinstance(assigned, Assigned)
    assert (assigned.key, assigned.holder) == (scene.conversation("minh").key, "a0")
    assert assigned.why.queued_at == queued.queued_at
    assert scene.conversation("tuan").standing == "queued"


def test_a_rule_without_agents_lets_its_customers_wait() -> None:
    scene = Scene()
    scene.do(configure(["an"], [a_rule()]))
    assert isinstance(scene.do(route("lan"))[-1], Queued)


def test_a_held_conversation_stays_held_over_sessions() -> None:
    scene = scene_with(1)
    scene.do(route("lan"))
    scene.do(session_ended("lan"))
    assert scene.conversation("lan").holder == "a0"
    assert scene.desk.duties["a0"].load == 0
    (opened,) = scene.do(route("lan", 2))
    assert isinstance(opened, SessionOpened)
    assert (opened.holder, opened.standing, opened.session, opened.epoch) == ("a0", "held", 2, 1)
    assert scene.desk.duties["a0"].load == 1


def test_a_returning_customer_may_lift_his_agent_above_capacity_but_nobody_is_added() -> None:
    scene = scene_with(1)
    scene.do(route("lan"))
    scene.do(session_ended("lan"))
    scene.do(route("minh"))
    scene.do(route("lan", 2))
    assert scene.desk.duties["a0"].load == 2
    assert isinstance(scene.do(route("tuan"))[-1], Queued)
    assert len(scene.do(session_ended("lan", 2))) == 1
    assert scene.conversation("tuan").standing == "queued"


def test_who_waits_is_wanted_no_more_when_the_session_ends() -> None:
    scene = scene_with(1)
    scene.do(route("lan"))
    scene.do(route("minh"))
    (closed,) = scene.do(session_ended("minh"))
    assert (closed.standing, closed.care, closed.holder) == ("idle", "new", None)
    assert scene.desk.queue.rules() == []
    assert isinstance(scene.do(route("minh", 2))[-1], Queued)


def test_an_offer_ends_with_its_session_and_the_next_one_is_routed() -> None:
    scene = scene_with(None)
    scene.do(route("lan", page="zalo:999"))
    (closed,) = scene.do(session_ended("lan", page="zalo:999"))
    assert closed.standing == "idle"
    pages = [PAGE, "zalo:999"]
    scene.do(configure(["a0"], [a_rule("a0", pages=pages)], pages=pages, idempotency_key="second"))
    assert isinstance(scene.do(route("lan", 2, page="zalo:999"))[-1], Assigned)


def test_a_route_that_crossed_its_answer_is_confirmed_and_changes_nothing() -> None:
    scene = scene_with(1)
    scene.do(route("lan"))
    scene.do(route("minh"))
    for user in ("lan", "minh"):
        before = scene.conversation(user)
        (confirmed,) = scene.do(route(user, opens_session=False, position=4))
        assert isinstance(confirmed, Confirmed)
        now = scene.conversation(user)
        assert now == before._replace(seq=before.seq + 1, last_event=now.last_event, after_position=4)


def test_a_route_of_a_session_that_has_ended_is_confirmed() -> None:
    scene = scene_with(None)
    scene.do(route("lan"))
    scene.do(session_ended("lan"))
    (confirmed,) = scene.do(route("lan"))
    assert isinstance(confirmed, Confirmed)
    assert scene.desk.duties["a0"].load == 0


def test_an_end_that_is_not_of_the_open_session_changes_nothing() -> None:
    scene = scene_with(None)
    assert scene.do(session_ended("lan")) == []
    scene.do(route("lan"))
    assert scene.do(session_ended("lan", 2)) == []
    scene.do(session_ended("lan"))
    assert scene.do(session_ended("lan")) == []


def test_the_position_that_is_known_never_goes_back() -> None:
    scene = scene_with(None)
    scene.do(route("lan", position=5))
    (closed,) = scene.do(session_ended("lan", position=3))
    assert closed.after_position == 5


def test_twelve_agents_have_equal_shares() -> None:
    scene = scene_with(*[None] * 12)
    for number in range(100):
        scene.do(route(f"u{number}"))
    counts = [scene.holders().count(f"a{number}") for number in range(12)]
    assert max(counts) - min(counts) == 1
    assert sum(counts) == 100
