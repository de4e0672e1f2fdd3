"""The care status: every transition by hand, allowed or not, and those that come by themselves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import get_args

import pytest

from schemas.asks import Appoint, Release, SetCare, TakeOff
from schemas.assignments import Assigned, CareChanged, CareStatus, ChainEvent, Offered, Unassigned
from schemas.outcomes import Done, Refused
from tests.desk.flows import come, give_policy, names, rule_with
from tests.desk.log import PAGE, a_rule, an_agent, ask, configure, key_of, route, session_ended
from tests.desk.scene import Scene
from workers.routing.desk.care import BY_HAND, by_hand

STATUSES: tuple[CareStatus, ...] = get_args(CareStatus)
BY_THE_LETTER: set[tuple[CareStatus, CareStatus]] = {
    ("accepted", "pending_close"),
    ("accepted", "closed_won"),
    ("accepted", "refused"),
    ("pending_close", "closed_won"),
    ("pending_close", "refused"),
    ("closed_won", "done"),
    ("closed_won", "refused"),
}
EARLY: set[tuple[CareStatus, CareStatus]] = {("accepted", "done"), ("pending_close", "done")}
"""What a workspace may allow beside."""
NEEDS: dict[CareStatus, dict[str, str]] = {"refused": {"reason": "gia-cao"}, "done": {"outcome": "won"}}


def a_scene(*agents: str, **options: object) -> Scene:
    """A desk with one rule for these agents; chu is the page's admin, la another agent."""
    scene = Scene()
    scene.do(configure([*agents, "chu", "la"], [rule_with(*agents, **options)]))
    give_policy(scene)
    return scene


def to_new(scene: Scene) -> None:
    scene.do(configure(["an", "chu", "la"], [a_rule()], idempotency_key="nobody"))
    scene.do(route("lan"))


def to_waiting(scene: Scene) -> None:
    scene.do(route("lan"))
    scene.do(ask(Release, "lan", "an"))


def to_accepted(scene: Scene) -> None:
    scene.do(route("lan"))


def to_pending_close(scene: Scene) -> None:
    to_accepted(scene)
    scene.do(ask(SetCare, "lan", "an", care="pending_close"))


def to_closed_won(scene: Scene) -> None:
    to_accepted(scene)
    scene.do(ask(SetCare, "lan", "an", care="closed_won"))


def to_done(scene: Scene) -> None:
    to_closed_won(scene)
    scene.do(ask(SetCare, "lan", "an", care="done", outcome="won"))


WAYS: dict[CareStatus, Callable[[Scene], None]] = {
    "new": to_new,
    "waiting": to_waiting,
    "accepted": to_accepted,
    "pending_close": to_pending_close,
    "closed_won": to_closed_won,
    "done": to_done,
}
"""How a conversation comes to each status that lasts."""


def test_the_table_is_the_letter() -> None:
    assert {(one, other) for one, others in BY_HAND.items() for other in others} == BY_THE_LETTER
    assert set(BY_HAND) == set(STATUSES)


@pytest.mark.parametrize("early", [(), ("accepted",), ("pending_close",), ("accepted", "pending_close")])
def test_the_policy_adds_where_done_is_allowed_and_takes_nothing_away(early: tuple[CareStatus, ...]) -> None:
    scene = a_scene("an")
    give_policy(scene, done_from=early)
    allowed = {(one, other) for one in STATUSES for other in by_hand(one, scene.desk.roster.policy)}
    assert allowed == BY_THE_LETTER | {(one, "done") for one in early}


@pytest.mark.parametrize("by", ["an", "chu", "la", None])
@pytest.mark.parametrize(("before", "after"), list(product(WAYS, STATUSES)))
@pytest.mark.parametrize("early", [False, True])
def test_each_transition_by_hand(
    before: CareStatus, after: CareStatus, by: str | None, *, early: bool
) -> None:
    scene = a_scene("an")
    give_policy(scene, done_from=("accepted", "pending_close") if early else ())
    WAYS[before](scene)
    was = scene.conversation("lan")
    assert was.care == before
    *_, outcome = scene.do(ask(SetCare, "lan", by, care=after, **NEEDS.get(after, {})))
    now = scene.conversation("lan")
    may = by == "chu" or (by is not None and by == was.holder)
    allowed = BY_THE_LETTER | EARLY if early else BY_THE_LETTER
    if may and (before, after) in allowed:
        assert isinstance(outcome, Done)
        assert now.care == ("waiting" if after == "refused" else after)
    else:
        assert isinstance(outcome, Refused)
        assert outcome.code == ("bad_transition" if may else "not_holder")
        assert now == was
        if may:
            assert set(outcome.allowed) == {other for one, other in allowed if one == before}
    assert (now.holder is None) == (now.care in ("new", "waiting"))


def test_a_change_says_who_when_from_to_and_why() -> None:
    scene = a_scene("an")
    to_accepted(scene)
    command = ask(SetCare, "lan", "an", care="pending_close", reason="cho-hang")
    changed, done = scene.do(command)
    assert isinstance(changed, CareChanged)
    assert (changed.former_care, changed.care, changed.reason) == ("accepted", "pending_close", "cho-hang")
    assert (changed.by, changed.command) == ("agent:acme/an", command.idempotency_key)
    assert done.result["care"] == "pending_close"
    assert scene.conversation("lan").reason == "cho-hang"


@pytest.mark.parametrize(
    ("fields", "code", "allowed"),
    [
        ({"care": "refused"}, "reason_required", ("gia-cao",)),
        ({"care": "refused", "reason": "la"}, "reason_required", ("gia-cao",)),
        ({"care": "refused", "reason": "da-giao"}, "reason_required", ("gia-cao",)),
        ({"care": "done"}, "reason_required", ("won", "dead_end")),
        ({"care": "done", "outcome": "won", "reason": "gia-cao"}, "reason_required", ("da-giao",)),
        ({"care": "refused", "reason": "gia-cao", "outcome": "won"}, "bad_transition", ("done",)),
    ],
)
def test_reason_and_outcome_are_those_of_the_status(
    fields: dict[str, str], code: str, allowed: tuple[str, ...]
) -> None:
    scene = a_scene("an")
    to_closed_won(scene)
    (refused,) = scene.do(ask(SetCare, "lan", "an", **fields))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.allowed) == (code, allowed)


def test_a_status_without_reasons_is_given_none() -> None:
    scene = a_scene("an")
    to_accepted(scene)
    (refused,) = scene.do(ask(SetCare, "lan", "an", care="closed_won", reason="gia-cao"))
    assert (refused.code, refused.sentence) == (
        "bad_transition",
        "'closed_won' has no reasons: leave it out",
    )
    assert refused.allowed == ("refused", "pending_close", "done")


@pytest.mark.parametrize("outcome", ["won", "dead_end"])
def test_done_names_its_outcome_and_keeps_its_agent(outcome: str) -> None:
    scene = a_scene("an")
    to_closed_won(scene)
    changed, _ = scene.do(ask(SetCare, "lan", "an", care="done", outcome=outcome, reason="da-giao"))
    assert (changed.outcome, changed.reason, changed.holder) == (outcome, "da-giao", "an")
    assert scene.conversation("lan").outcome == outcome


class TestRefused:
    def test_is_recorded_then_its_agent_is_off_and_the_next_one_has_it(self) -> None:
        scene = a_scene("an", "binh")
        to_accepted(scene)
        changed, off, assigned, done = scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
        assert (changed.care, changed.holder, changed.reason, changed.round) == (
            "refused",
            "an",
            "gia-cao",
            1,
        )
        assert isinstance(off, Unassigned)
        assert (off.how, off.former_holder, off.care, off.holder) == ("refused", "an", "waiting", None)
        assert isinstance(assigned, Assigned)
        assert (assigned.holder, assigned.care, assigned.round) == ("binh", "accepted", 2)
        assert isinstance(done, Done)

    def test_begins_the_next_round_when_its_agent_is_off(self) -> None:
        scene = a_scene("an")
        to_accepted(scene)
        _, off, queued, _ = scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
        assert (off.round, queued.round) == (2, 2)

    def test_goes_to_the_pool_when_the_rule_says_so(self) -> None:
        scene = a_scene("an", "binh", after_refusal="pool")
        to_accepted(scene)
        *_, offered, _ = scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
        assert isinstance(offered, Offered)
        assert offered.audience == "page:zalo:100"

    def test_is_not_given_to_him_again(self) -> None:
        scene = a_scene("an")
        to_accepted(scene)
        *_, offered, _ = scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
        assert isinstance(offered, Offered)
        assert offered.audience == f"page:{PAGE}"

    def test_ends_his_following(self) -> None:
        scene = a_scene("an", "binh")
        to_accepted(scene)
        scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
        assert scene.conversation("lan").followers == {"binh"}

    def test_without_an_open_session_waits_for_the_next_one(self) -> None:
        scene = a_scene("an", "binh")
        to_accepted(scene)
        scene.do(session_ended("lan"))
        events = scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
        assert names(events) == ["CareChanged", "Unassigned"]
        assert (scene.conversation("lan").standing, scene.conversation("lan").care) == ("idle", "waiting")
        assert scene.do(route("lan", 2))[-1].holder == "binh"

    def test_serves_who_waited_for_his_time(self) -> None:
        scene = Scene()
        scene.do(configure([an_agent("an", 1), "chu"], [a_rule("an")]))
        give_policy(scene)
        scene.do(route("lan"))
        scene.do(route("minh"))
        scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
        assert scene.conversation("minh").holder == "an"


@pytest.mark.parametrize("command", [ask(Release, "lan", "an"), ask(TakeOff, "lan", "chu")])
def test_without_its_agent_it_waits(command: Release | TakeOff) -> None:
    scene = a_scene("an")
    to_pending_close(scene)
    scene.do(command)
    assert scene.conversation("lan").care == "waiting"


@pytest.mark.parametrize("command", [Release, TakeOff])
def test_what_was_said_of_a_status_goes_with_it(command: type[Release | TakeOff]) -> None:
    scene = a_scene("an", "binh")
    to_done(scene)
    assert scene.conversation("lan").outcome == "won"
    scene.do(ask(command, "lan", "an" if command is Release else "chu"))
    assert (scene.conversation("lan").care, scene.conversation("lan").round) == ("accepted", 2)
    assert (scene.conversation("lan").reason, scene.conversation("lan").outcome) == (None, None)
    scene.do(ask(SetCare, "lan", "binh", care="pending_close", reason="cho-hang"))
    scene.do(ask(TakeOff, "lan", "chu"))
    assert (scene.conversation("lan").holder, scene.conversation("lan").reason) == ("an", None)


def test_why_it_was_refused_is_said_until_somebody_else_has_it() -> None:
    scene = a_scene("an")
    to_accepted(scene)
    scene.do(ask(SetCare, "lan", "an", care="refused", reason="gia-cao"))
    assert (scene.conversation("lan").care, scene.conversation("lan").reason) == ("waiting", "gia-cao")
    scene.do(ask(Appoint, "lan", "chu", agent="la"))
    assert (scene.conversation("lan").care, scene.conversation("lan").reason) == ("accepted", None)


def test_why_it_is_closed_for_now_stays_when_it_is_handed_over() -> None:
    scene = a_scene("an", "binh")
    to_accepted(scene)
    scene.do(ask(SetCare, "lan", "an", care="pending_close", reason="cho-hang"))
    scene.do(ask(Appoint, "lan", "chu", agent="la"))
    assert (scene.conversation("lan").care, scene.conversation("lan").reason) == ("pending_close", "cho-hang")


class TestReopening:
    def done(self, *agents: str, **options: object) -> Scene:
        """An has done with Lan, and her session is over."""
        scene = a_scene(*agents, **options)
        to_done(scene)
        scene.do(session_ended("lan").model_copy(update={"ended_by": "done"}))
        return scene

    def test_begins_the_next_round_waiting_then_with_the_same_agent(self) -> None:
        scene = self.done("an", "binh")
        changed, opened, assigned = scene.do(route("lan", 2))
        assert isinstance(changed, CareChanged)
        assert (changed.former_care, changed.care, changed.holder) == ("done", "waiting", None)
        assert (changed.by, changed.outcome) == (None, None)
        assert [event.round for event in (changed, opened, assigned)] == [2, 2, 2]
        assert (assigned.holder, assigned.care, assigned.why.method) == ("an", "accepted", "reopened")
        assert (changed.epoch, assigned.epoch) == (1, 2)
        assert assigned.why.cursor_after is None

    @pytest.mark.parametrize("reason", ["offline", "on_leave", "at_capacity", "unlisted"])
    def test_is_routed_when_he_is_not_eligible(self, reason: str) -> None:
        scene = self.done("an", "binh", online_only=False)
        rule = (
            a_rule("binh") if reason == "unlisted" else a_rule("an", "binh", online_only=reason == "offline")
        )
        an = an_agent("an", 1).model_copy(update={"on_leave": reason == "on_leave"})
        come(scene, "binh")
        scene.do(configure([an, "binh", "chu"], [rule], idempotency_key="second"))
        if reason == "at_capacity":
            scene.do(route("tuan"))
            scene.do(route("minh"))
        *_, assigned = scene.do(route("lan", 2))
        assert (assigned.holder, assigned.why.method) == ("binh", "round_robin")

    def test_of_a_conversation_that_no_rule_matches_offers_it(self) -> None:
        scene = self.done("an")
        scene.do(configure(["an", "chu"], [], idempotency_key="second"))
        *_, offered = scene.do(route("lan", 2))
        assert isinstance(offered, Offered)
        assert (offered.unrouted, offered.care) == (True, "waiting")

    def test_asks_again_who_had_declined(self) -> None:
        scene = a_scene("an", "binh")
        to_accepted(scene)
        scene.do(ask(Release, "lan", "an"))
        assert scene.conversation("lan").declined == frozenset()
        scene.do(ask(SetCare, "lan", "binh", care="closed_won"))
        scene.do(ask(SetCare, "lan", "binh", care="done", outcome="won"))
        scene.do(route("lan", 2))
        assert scene.conversation("lan").declined == frozenset()

    def test_happens_also_while_its_session_has_not_ended_yet(self) -> None:
        scene = a_scene("an")
        to_done(scene)
        events = scene.do(route("lan", 2))
        assert names(events) == ["CareChanged", "SessionOpened", "Assigned"]
        assert scene.desk.duties["an"].load == 1
        assert scene.do(session_ended("lan", 1)) == []


def test_the_history_stays_in_the_chain() -> None:
    scene = a_scene("an")
    to_done(scene)
    scene.do(session_ended("lan"))
    scene.do(route("lan", 2))
    chain = [one.event for one in scene.decided if isinstance(one.event, ChainEvent)]
    assert [event.care for event in chain if event.key == key_of("lan")] == [
        "new",
        "accepted",
        "closed_won",
        "done",
        "done",
        "waiting",
        "waiting",
        "accepted",
    ]
