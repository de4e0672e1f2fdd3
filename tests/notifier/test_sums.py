"""Counters folded batch by batch over random events equal what is counted from scratch."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.notifier.follower import Follower, interleave
from tests.notifier.history import AGENTS, invent
from workers.notifier.counters import CounterRef, differences
from workers.notifier.places import Sum, Viewer, add_up, bucket

PAGE = "messenger:page-1"
AUDIENCES = ("rule:r/0", "rule:r/1", f"page:{PAGE}")


@given(seed=st.integers(0, 2**32), length=st.integers(0, 40), count=st.integers(1, 4))
def test_the_fold_of_counters_is_what_each_agent_counts_from_scratch(
    seed: int, length: int, count: int
) -> None:
    dice = random.Random(seed)
    followers = [Follower(invent(seed + number, f"u{number}", length)) for number in range(count)]
    orders = [interleave(each.history, seed) for each in followers]
    totals: Counter[CounterRef] = Counter()
    unread: Counter[CounterRef] = Counter()
    while any(orders):
        for follower, order in zip(followers, orders, strict=True):
            length = dice.choice((0, 1, 5, 40))
            follower.take_all(order[:length])
            del order[:length]
        for ref, (conversations, messages) in differences(each.conversation for each in followers).items():
            totals[ref] += conversations
            unread[ref] += messages
        for follower in followers:
            follower.conversation.stored_count = follower.conversation.count
        assert min([*totals.values(), *unread.values()], default=0) >= 0

    sums = [Sum(ref.place, ref.page, totals[ref], unread[ref]) for ref in totals]
    for agent in AGENTS:
        for pages in (frozenset[str](), frozenset({PAGE})):
            viewer = Viewer(agent, pages, frozenset(dice.sample(AUDIENCES, 2)))
            expected: dict[str, tuple[int, int]] = {}
            for conversation in (each.conversation for each in followers if each.conversation.seq):
                name = bucket(conversation.holder, conversation.audience, PAGE, viewer)
                if name is not None:
                    old = expected.get(name, (0, 0))
                    expected[name] = old[0] + 1, old[1] + conversation.unread
            assert add_up(sums, viewer) == expected
