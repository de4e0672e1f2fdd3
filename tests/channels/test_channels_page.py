"""docs/channels.md: every kind of event, and what becomes of it, as the code does it."""

from __future__ import annotations

import pytest

from schemas.inbound import InboundRecord
from tests.channels import event_kinds
from tests.channels.channels_page import PAGE, SAMPLES, became, items, page
from tests.channels.event_kinds import Sample
from workers.channels import messenger_event, zalo_kinds

ALL = [sample for samples in SAMPLES.values() for sample in samples()]


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it: python -m tests.channels.channels_page"


def test_every_documented_kind_is_there() -> None:
    messenger = {kind for sample in event_kinds.messenger() for kind in sample.kinds}
    assert messenger == {*messenger_event.KINDS, "standby", "changes"}
    assert {kind for sample in event_kinds.zalo() for kind in sample.kinds} == zalo_kinds.KINDS


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: f"{sample.page}, {sample.name}, {sample.kinds}")
def test_no_documented_event_is_refused(sample: Sample) -> None:
    if sample.place == "changes":
        return
    assert all(isinstance(item, InboundRecord) for item in items(sample))


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: f"{sample.page}, {sample.name}, {sample.kinds}")
def test_nobody_is_asked_but_by_customers_and_told_but_of_people(sample: Sample) -> None:
    """A bot's words, gestures and arrivals never make the desk act."""
    what = became(sample)
    if what.desk in {"`route`", "`route`, `touched`"}:  # a phone number brings a tag, of which it is told
        assert what.transcript.startswith("customer: ")
    elif what.desk == "`history_kept`":
        assert (sample.place, what.transcript[:7]) == ("history", "agent: ")
    elif what.desk != "–":
        assert (what.desk, what.transcript[:7]) == ("`outside_answer`", "agent: ")
    if "bot" in sample.name.split(",")[0] or what.transcript.startswith("bot: "):
        assert what.desk == "–"
