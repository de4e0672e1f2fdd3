"""The checker passes a clean history and catches each planted fault by the check that is meant for it."""

from __future__ import annotations

import pytest

from checker.report import Report
from tests.checker.desk_plants import CASES as OF_DESKS
from tests.checker.plants import CASES, Fault, clean
from tests.checker.story import Story
from tests.checker.ticket_plants import CASES as OF_TICKETS

ONLY_ON_A_DAY = (
    *("claim", "nobody is refused for", "an agent who stayed away", "the least busy"),
    *("opens", "calls somebody"),
)
"""What the story does not tell of, see test_desk_days."""


def violated(report: Report) -> dict[str, str]:
    """The checks that failed, with their witnesses."""
    return {tally.title: tally.witness or "" for tally in report.tallies if tally.violated}


def test_a_clean_history_passes_and_every_check_has_looked_at_something() -> None:
    report = clean().check()
    assert violated(report) == {}
    unused = [tally.title for tally in report.tallies if not tally.checked]
    assert not [title for title in unused if not any(words in title for words in ONLY_ON_A_DAY)]
    assert report.counts["duplicates"] == 4


@pytest.mark.parametrize(
    ("fault", "title"), [*CASES.values(), *OF_TICKETS.values()], ids=[*CASES, *OF_TICKETS]
)
def test_a_planted_fault_is_caught(fault: Fault, title: str) -> None:
    planted = clean()
    fault(planted)
    found = violated(planted.check())
    assert [witness for name, witness in found.items() if name.startswith(title)], found


OF_ITS_OWN = {"every route is answered by an event"}
"""Whose other faults would be seen as others; a test below has it."""


def test_every_check_has_two_faults_at_least() -> None:
    titles = [title for _, title in (*CASES.values(), *OF_TICKETS.values(), *OF_DESKS.values())]
    few = {
        tally.title
        for tally in clean().check().tallies
        if sum(tally.title.startswith(title) for title in titles) < 2
    }
    assert few == OF_ITS_OWN


def test_a_route_that_nobody_answers_is_caught() -> None:
    planted = clean()
    route = {
        "workspace": "acme",
        "desk": "main",
        "conversation": "c",
        "key": "messenger:shop:c",
        "session": 1,
    }
    route["opens_session"] = True
    planted.append("commands", "acme:main", "route", route, 2_000_000)
    assert "every route is answered by an event" in violated(planted.check())


def test_who_waits_while_an_agent_is_free_is_caught() -> None:
    story = Story()
    story.configure()
    for number in range(7):
        story.write(f"u{number}")
    story.end("u0")
    planted = story.told()
    drained = planted.index("assignments", lambda value: "queued_at" in value.get("why", {}))
    planted.topics["assignments"].pop(drained)
    assert "nobody waits while an agent of the rule is eligible" in violated(planted.check())


def test_a_command_that_was_forwarded_to_its_own_partition_counts_as_one() -> None:
    planted = clean()
    configure = planted.topics["commands"][0]
    planted.topics["commands"].append(configure._replace(partition=0))
    assert violated(planted.check()) == {
        "the lag of every group on every input is zero": "desk has committed 0 of 1 on commands partition 0"
    }
