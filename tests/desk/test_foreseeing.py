"""What a leave would do, told before, is what it then does."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.desk.log import a_rule, an_agent, configure, route, session_ended
from tests.desk.scene import Scene, restarted
from tests.desk.test_amending import amend
from tests.desk.test_people import set_leave
from workers.routing.desk.change_preview import Stand, foresee_change
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.preview import Foreseen, foresee

AGENTS = ("an", "binh", "chi")


@given(
    customers=st.integers(0, 9),
    ended=st.sets(st.integers(0, 8)),
    capacity=st.one_of(st.none(), st.integers(1, 4)),
    then=st.sampled_from(["keep", "pool", "next"]),
)
def test_what_is_foreseen_comes_true(
    customers: int, ended: set[int], capacity: int | None, then: str
) -> None:
    scene = Scene()
    scene.do(configure([*(an_agent(one, capacity) for one in AGENTS), "chu"], [a_rule(*AGENTS)]))
    users = [f"u{number}" for number in range(customers)]
    for number, user in enumerate(users):
        scene.do(route(user))
        if number in ended:
            scene.do(session_ended(user))
    command = set_leave("an", then=then)
    touched = [user for user in users if scene.conversation(user).holder == "an"]
    told = foresee(restarted(scene.desk), command, scene.log.next().at)
    scene.do(command)
    after = [scene.conversation(user) for user in touched]
    given_to = Counter(one.holder for one in after if one.holder not in (None, "an"))
    standing = Counter(one.standing for one in after)
    kept = sum(one.holder == "an" for one in after)
    assert told == Foreseen(given_to, standing["offered"], standing["queued"], standing["idle"], kept)
    assert sum(told.given.values()) + sum(told[1:]) == len(touched)


def test_a_leave_gives_in_turn_what_is_being_talked_about() -> None:
    scene = Scene()
    scene.do(configure([*AGENTS, "chu"], [a_rule(*AGENTS)]))
    for number in range(9):
        scene.do(route(f"u{number}"))
    told = foresee(restarted(scene.desk), set_leave("an"), scene.log.next().at)
    assert sorted(told.given.values()) == [1, 2]
    assert set(told.given) == {"binh", "chi"}


@given(
    customers=st.integers(1, 9),
    capacity=st.integers(1, 3),
    change=st.sampled_from(
        [
            {"rules": [a_rule("binh", "chi")]},
            {"rules": [a_rule("chi", id_="khac")], "before": "chia-deu"},
            {"removed": {"rules": ["chia-deu"]}},
            {"rules": [a_rule("an", method="self_claim")]},
            {"agents": [an_agent("an", 9)]},
            {"rules": [a_rule("chi")], "removed": {"agents": ["an"]}},
            {"rules": [a_rule("nobody")]},
        ]
    ),
)
def test_what_is_foreseen_of_a_change_comes_true(
    customers: int, capacity: int, change: dict[str, Any]
) -> None:
    scene = Scene()
    scene.do(configure([*(an_agent(one, capacity) for one in AGENTS), "chu"], [a_rule("an")]))
    for number in range(customers):
        scene.do(route(f"u{number}"))
    command = amend(scene, **change)
    told = foresee_change(restarted(scene.desk), command, scene.log.next().at)
    before = {one.id: how(one) for one in scene.desk.conversations.values()}
    outcome = scene.do(command)[-1]
    after = {one.id: how(one) for one in scene.desk.conversations.values()}
    assert type(told.outcome) is type(outcome)
    assert getattr(told.outcome, "result", {}) == getattr(outcome, "result", {})
    moved = {one.conversation: (one.was, one.now) for one in told.moves}
    assert moved == {id_: (was, after[id_]) for id_, was in before.items() if was != after[id_]}


def how(one: Conversation) -> Stand:
    return Stand(one.standing, one.holder, one.rule, one.audience)
