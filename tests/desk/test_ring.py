"""The rotation alone: whose turn it is, over any change of who is listed and who is eligible."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import hypothesis.strategies as st
from hypothesis import given

from schemas.assignments import CANDIDATES_MAX
from workers.routing.desk.ring import Bar, Ring

AGENTS = [f"a{number}" for number in range(30)]

bars: st.SearchStrategy[Bar] = st.sampled_from((None, None, "at_capacity", "inactive"))
seated = st.lists(st.tuples(st.sampled_from(AGENTS), bars), unique_by=lambda one: one[0])


def turns(ring: Ring, count: int) -> tuple[list[str], Ring]:
    """The agents of the next `count` turns, and the ring after them."""
    agents = []
    for _ in range(count):
        turn = ring.next()
        if turn is not None:
            agents.append(turn.agent)
            ring = ring.turned_to(turn.agent)
    return agents, ring


def scanned(ring: Ring) -> tuple[str, dict[str, int]] | None:
    """What `next` gives, found by looking at one agent after the other."""
    start = -1 if ring.cursor is None else ring.agents.index(ring.cursor)
    skipped: Counter[str] = Counter()
    for step in range(1, len(ring.agents) + 1):
        candidate = ring.candidates[(start + step) % len(ring.agents)]
        if candidate.passed_over is None:
            return candidate.agent, dict(skipped)
        skipped[candidate.passed_over] += 1
    return None


def test_turns_go_round() -> None:
    agents, _ = turns(Ring.of([("an", None), ("binh", None), ("chi", None)]), 7)
    assert agents == ["an", "binh", "chi", "an", "binh", "chi", "an"]


def test_an_empty_ring_has_no_turn() -> None:
    assert Ring.of(()).next() is None


@given(seated, st.integers(0, 40))
def test_the_index_finds_whom_a_scan_finds(listed: list[tuple[str, Bar]], before: int) -> None:
    _, ring = turns(Ring.of(listed), before)
    turn = ring.next()
    assert (turn and (turn.agent, turn.passed_over)) == scanned(ring)
    if turn:
        assert turn.eligible == sum(bar is None for _, bar in listed)
        near = [one.agent for one in ring.near(turn.agent)]
        assert turn.agent in near
        assert len(near) == len(set(near)) == min(len(listed), CANDIDATES_MAX)


@given(seated, st.lists(st.tuples(st.sampled_from(AGENTS), bars)))
def test_changing_bars_is_building_anew(
    listed: list[tuple[str, Bar]], changes: list[tuple[str, Bar]]
) -> None:
    now = dict(listed)
    ring = Ring.of(listed)
    for agent, bar in changes:
        if agent in now:
            ring = ring.with_bar(agent, bar)
            now[agent] = bar
    anew = Ring.of(now.items())
    assert ring.candidates == anew.candidates
    assert ring.barred() == anew.barred()
    assert ring.next() == anew.next()


@given(
    st.lists(st.sampled_from(AGENTS), unique=True, min_size=2),
    st.lists(
        st.tuples(st.integers(0, 50), st.lists(st.sampled_from(AGENTS), unique=True)), min_size=1, max_size=6
    ),
)
def test_those_who_stay_have_equal_turns_over_any_change_of_the_rule(
    first: list[str], changes: list[tuple[int, list[str]]]
) -> None:
    ring = Ring.of((agent, None) for agent in first)
    stay = set(first).intersection(*(listed for _, listed in changes))
    given_: list[str] = []
    for count, listed in changes:
        agents, ring = turns(ring, count)
        given_ += agents
        ring = Ring.of((agent, None) for agent in ring.relisted(listed))
    for one, other in combinations(stay, 2):
        ahead = [0]
        for agent in given_:
            ahead.append(ahead[-1] + (agent == one) - (agent == other))
        assert max(ahead) - min(ahead) <= 1


def test_newcomers_come_at_the_end_of_the_turn() -> None:
    _, ring = turns(Ring.of((agent, None) for agent in ("an", "binh", "chi")), 2)
    assert ring.relisted(["moi", "an", "binh", "chi"]) == ("chi", "an", "binh", "moi")


def test_the_turn_goes_on_when_its_last_agent_has_left() -> None:
    _, ring = turns(Ring.of((agent, None) for agent in ("an", "binh", "chi")), 2)
    assert ring.relisted(["an", "chi"]) == ("chi", "an")


def test_a_chosen_agent_far_away_is_among_the_candidates() -> None:
    ring = Ring.of((agent, None if agent == "a29" else "at_capacity") for agent in AGENTS)
    turn = ring.next()
    assert turn is not None
    assert turn.passed_over == {"at_capacity": 29}
    assert ring.near(turn.agent)[-1].agent == "a29"
    assert len(ring.near(turn.agent)) == CANDIDATES_MAX
