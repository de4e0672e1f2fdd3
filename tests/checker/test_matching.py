"""The checker's own idea of what rules match, against what the desk matches them by."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import get_args

import hypothesis.strategies as st
import orjson
from hypothesis import example, given

from checker.facts.desk_state import DeskState
from checker.facts.matching import first_rule, is_open, matches
from checker.facts.roster import RosterEvent
from schemas.assignments import Facts
from schemas.definitions import Conditions, Hours, Stretch, Weekday
from workers.routing.desk.matching import _facts_fit
from workers.routing.hours import are_open

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
words = st.sampled_from(("vip", "gold", "en", "en_US", "EN-gb", "enx", "vi"))
some = st.lists(words, unique=True, max_size=3).map(tuple)
times = st.sampled_from((time(0), time(3, 30), time(8), time(17), time(23, 59)))
hours = st.builds(
    Hours,
    time_zone=st.sampled_from(("Asia/Ho_Chi_Minh", "UTC", "America/New_York")),
    stretches=st.lists(
        st.builds(
            Stretch,
            days=st.lists(st.sampled_from(get_args(Weekday)), min_size=1, unique=True).map(tuple),
            begins=times,
            ends=times,
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    holidays=st.lists(st.dates(date(2026, 11, 1), date(2026, 11, 9)), max_size=3).map(tuple),
)


@given(hours=hours, minutes=st.integers(0, 9 * 24 * 60))
def test_business_is_open_for_both_at_the_same_times(hours: Hours, minutes: int) -> None:
    at = BEGIN + timedelta(minutes=minutes)
    said = orjson.loads(hours.model_dump_json())
    assert is_open(said, round(at.timestamp() * 1000)) == are_open(hours, at)


@given(tags=some, lists=some, languages=some, of=st.tuples(some, some, st.one_of(st.none(), words)))
@example(tags=(), lists=(), languages=("en",), of=((), (), "en_US"))
def test_the_same_facts_fit(
    tags: tuple[str, ...],
    lists: tuple[str, ...],
    languages: tuple[str, ...],
    of: tuple[tuple[str, ...], tuple[str, ...], str | None],
) -> None:
    lists = tuple(one.lower().replace("_", "-") for one in lists)
    conditions = Conditions(tags=tags, lists=lists, languages=languages)
    facts = Facts(channel="zalo", tags=of[0], lists=of[1], language=of[2])
    said = orjson.loads(conditions.model_dump_json()), orjson.loads(facts.model_dump_json())
    assert matches(*said, at_ms=0) == _facts_fit(conditions, facts)


def test_the_first_in_the_order_of_rules_wins_whatever_their_names() -> None:
    state = DeskState()
    for order, (name, tags) in enumerate((("z", ["vip"]), ("b", []), ("a", []))):
        rule = {"pages": ["zalo:1"], "conditions": {"tags": tags}}
        event = RosterEvent("", (0, 0), ("acme", "main"), "rule", name, 1, False, 0, rule, order, None)
        state.change(event, 0)
    assert first_rule(state, "zalo:1", {"tags": ["vip"]}) == "z"
    assert first_rule(state, "zalo:1", {}) == "b"
    assert first_rule(state, "zalo:2", {}) is None
