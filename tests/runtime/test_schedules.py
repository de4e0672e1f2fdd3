"""Schedules that went wrong once, followed step by step: whatever comes then, it goes well now.

Each ends where the rule of that time decides. They were found by exploring, as the shortest ways there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from tests.runtime.explorer.old_rules import claim_whoever_has_it, stop_what_another_has, stop_when_behind
from tests.runtime.explorer.schedule import follow
from tests.runtime.explorer.search import Found, explore
from tests.runtime.explorer.world import NONE, Budget, first

STARTED = (
    "a: reads the owner: Claim(owner=None)",
    "a: claims: ReadGroup()",
    "a: reads the row",
    "a: reads the group: Start()",
)
PUBLISHED = ("a: stores 1", "a: begins to publish 1", "a: EndTxn OK")


class Once(NamedTuple):
    """What happened, the rule that failed then, and what it did."""

    budget: Budget
    schedule: Sequence[str]
    old_rule: Callable[[pytest.MonkeyPatch], None]
    wrong: str


ONCE = {
    "who is fenced has only just claimed what another released: its group offset is stale": Once(
        NONE._replace(reassignments=1, freezes=1),
        (
            *STARTED,
            *PUBLISHED,
            "a: gets lane 0 revoked",
            "a: releases",
            "lane 0 is assigned to b",
            "b: reads the owner: Claim(owner=None)",
            "b: claims: ReadGroup()",
            "b: freezes",
            "lane 0 is assigned to a",
            "a: reads the owner: Fence(owner='b0')",
            "a: ends producer b0-0",
            "a: ends producer b0-1: Claim(owner='b0')",
            "a: claims: ReadGroup()",
            "a: reads the row",
        ),
        stop_when_behind,
        "stopped: it does not fit",
    ),
    "who froze between row and group finds the lane ahead of it: another has it": Once(
        NONE._replace(freezes=1),
        (
            *STARTED[:3],
            "a: freezes",
            "a: thaws",
            "lane 0 is assigned to b",
            "b: reads the owner: Fence(owner='a0')",
            "b: ends producer a0-0",
            "b: ends producer a0-1: Claim(owner='a0')",
            "b: claims: ReadGroup()",
            "b: reads the row",
            "b: reads the group: Start()",
            "b: stores 1",
            "b: begins to publish 1",
            "b: EndTxn OK",
            "Kafka completes batch 1",
        ),
        stop_what_another_has,
        "stopped: the group has published batch 1",
    ),
    "two have read that nobody has the lane, and one has published already": Once(
        NONE._replace(freezes=1),
        (
            STARTED[0],
            "a: freezes",
            "a: thaws",
            "lane 0 is assigned to b",
            "b: reads the owner: Claim(owner=None)",
            *STARTED[1:],
            *PUBLISHED,
        ),
        claim_whoever_has_it,
        "batch 1 is published again",
    ),
}


def goes_on(once: Once) -> Found:
    """What comes of it, whatever is next."""
    return explore(follow(first(2, ["rt"], once.budget), once.schedule))


@pytest.mark.parametrize("once", ONCE.values(), ids=ONCE.keys())
def test_what_went_wrong_once_goes_well(once: Once) -> None:
    found = goes_on(once)
    assert found.wrong is None, str(found)


@pytest.mark.parametrize("once", ONCE.values(), ids=ONCE.keys())
def test_with_the_rule_of_that_time_it_goes_wrong_again(once: Once, monkeypatch: pytest.MonkeyPatch) -> None:
    once.old_rule(monkeypatch)
    found = goes_on(once)
    assert found.wrong is not None
    assert found.wrong.startswith(once.wrong)


def test_a_schedule_that_cannot_be_followed_says_where_it_ends() -> None:
    with pytest.raises(LookupError, match="step 2, 'a: stores 1', is not one of"):
        follow(first(2, ["rt"], NONE), (STARTED[0], "a: stores 1"))
