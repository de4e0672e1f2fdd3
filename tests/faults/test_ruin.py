"""The checks that cannot hold after a disaster are those that compare with what it has taken away."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from checker.record import Place
from faults import ruin
from tests.checker.busy_desk import a_day
from tests.checker.histories import faults
from tests.checker.planted import Planted
from tests.checker.plants import clean
from tests.checker.test_planted_faults import violated

BEFORE = "commands", "inbound"
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"


def begun_anew(planted: Planted, topic: str, kept: int) -> Planted:
    """The log was lost. On the next one are its last records, so many, and its first comes once more."""
    records, planted.topics[topic] = planted.topics[topic], []
    places: dict[Place, Place] = {}
    ends: Counter[int] = Counter()
    for record in (*records[len(records) - kept :], *records[:1]):
        offset = ends[record.partition]
        ends[record.partition] += 1
        planted.topics[topic].append(record._replace(offset=offset))
        places.setdefault(record.place, (record.partition, offset))
    if topic == "commands":
        _cause_anew(planted, places)
    return planted


def _cause_anew(planted: Planted, places: dict[Place, Place]) -> None:
    """Events of commands on the next log name their places there."""
    for topic in ("assignments", "roster"):
        for number, record in enumerate(planted.topics[topic]):
            cause = record.json().get("cause")
            if cause and (place := places.get((cause["partition"], cause["offset"]))):
                planted.change(topic, number, cause=cause | {"offset": place[1]})


def lost(topic: str) -> set[str]:
    """The checks that clean histories violate when what stood in a log is gone, or half of it."""
    found: set[str] = set()
    for share in (0, 1 / 2):
        story, day = clean(), a_day(0)
        found |= violated(begun_anew(story, topic, int(len(story.topics[topic]) * share)).check()).keys()
        found |= faults(begun_anew(day, topic, int(len(day.topics[topic]) * share))).keys()
    return found


IN_RUNS_ONLY = {
    "each acknowledged record is in inbound",  # which only its sender knows
    "counts of agents eligible throughout differ by at most one after any prefix",
    "nobody has a second turn before everybody eligible has had one",
    "of a rule that asks the least busy, the least busy gets it",
}
"""What runs were seen to violate; these histories have too few agents for it, or no sender."""


@pytest.mark.parametrize(
    ("topic", "excepted"),
    [("inbound", ruin._INBOUND), ("commands", ruin._COMMANDS), ("assignments", ruin._ASSIGNMENTS)],
)
def test_each_check_that_is_excepted_compares_with_the_log_that_is_gone(
    topic: str, excepted: tuple[str, ...]
) -> None:
    assert ruin.RUINS[f"{topic}_made_again"].destroys == excepted
    assert set(excepted) - lost(topic) <= IN_RUNS_ONLY


def test_what_is_excepted_when_all_is_gone_is_a_check_that_there_is() -> None:
    story, day = clean().check(), a_day(0).check()
    titles = {tally.title for tally in (*story.tallies, *day.tallies)} | IN_RUNS_ONLY
    assert set(ruin.RUINS["lost_kafka"].destroys) <= titles
    assert set(ruin.RUINS["power_cut"].destroys) <= titles


def test_each_disaster_is_told_to_operators_by_the_name_that_does_it() -> None:
    told = OPERATING.read_text(encoding="utf-8").partition("## Disasters")[2].partition("\n## ")[0]
    assert [name for name in ruin.RUINS if f"`{name}`" not in told] == []
