"""The parts of the demo that count."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from config.topics import ASSIGNMENTS, DEADLETTER, INBOUND, MESSAGES, NOTIFICATIONS, OUTCOMES
from schemas.base import OUR_CHANNELS, rfc3339
from schemas.envelope import Kind, headers, moment
from schemas.ids import channel_of
from workers.cli.demo_command import AGENTS
from workers.local.demo import website
from workers.local.demo.age import process_age_s
from workers.local.demo.apps import BOT
from workers.local.demo.assigned import Assigned
from workers.local.demo.latency import LONGEST_MS, Latencies
from workers.local.demo.report import Report, out_of_order
from workers.local.demo.rotation import Rotation, spread
from workers.local.demo.sample import (
    admins_of,
    agents_of,
    company_of,
    pages_of,
    platform_pages_of,
    sample,
)
from workers.local.demo.tally import Tally
from workers.local.demo.view import Picture, progress_line, summary_lines
from workers.local.simulator.ledger import Ledger, Sent
from workers.local.simulator.visitors.ledger import VisitorLedger

PAGE = "messenger:104857600012345"
KEY = f"{PAGE}:7001"
NOW_MS = 1_795_000_000_000


@given(st.lists(st.integers(0, 5_000), min_size=1), st.sampled_from((50, 95, 99)))
def test_percentiles_are_nearest_ranks(values: list[int], percent: int) -> None:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    found = latencies.percentile(percent)
    assert found is not None
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_latencies_are_bounded_and_may_be_none() -> None:
    latencies = Latencies()
    assert latencies.summary() == {"p50": None, "p95": None, "p99": None}
    latencies.add(-3)
    latencies.add(10 * LONGEST_MS)
    assert (latencies.percentile(50), latencies.percentile(99)) == (0, LONGEST_MS)


@pytest.mark.parametrize(
    ("turns", "agents", "widest"),
    [
        ("abcabcab", "abc", 1),
        ("", "abc", 0),
        ("aab", "abc", 2),
        ("abab", "abc", 2),  # c never had a turn
        ("axbxax", "ab", 1),  # x was not eligible throughout
        ("abbaab", "ab", 1),
    ],
)
def test_spread_is_after_any_prefix(turns: str, agents: str, widest: int) -> None:
    assert spread(turns, set(agents)) == widest


def _event(offset: int, agent: str, passed_over: str = "") -> dict[str, Any]:
    why = {
        "method": "round_robin",
        "rule": "r",
        "candidates": [{"agent": each, "passed_over": "at_capacity"} for each in passed_over],
    }
    cause = {"partition": 0, "offset": offset}
    return {"workspace": "w", "desk": "main", "holder": agent, "seq": 2, "why": why, "cause": cause}


def test_turns_count_in_the_order_of_the_desks_log() -> None:
    rotation = Rotation()
    for offset, agent in ((3, "b"), (1, "b"), (2, "a"), (0, "a")):  # a b a b on the log
        rotation.see(_event(offset, agent))
    assert rotation.spread_max({("w", "main", "r"): ["a", "b"]}) == 1
    assert rotation.spread_max({}) == 0


def test_who_was_passed_over_was_not_eligible_throughout() -> None:
    rotation = Rotation()
    for offset in range(5):
        rotation.see(_event(offset, "a", passed_over="b"))
    assert rotation.spread_max({("w", "main", "r"): ["a", "b"]}) == 0


@pytest.mark.parametrize(
    ("written", "transcript", "early"),
    [
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "cba", 2),
        ("abc", "ac", 0),
        ("abc", "", 0),
        ("abc", "bca", 2),
    ],
)
def test_out_of_order(written: str, transcript: str, early: int) -> None:
    assert out_of_order({"k": list(written)}, {"k": list(transcript)}) == early


def _record(topic: str, what: str, value: dict[str, Any], timestamp_ms: int = NOW_MS) -> Any:  # noqa: ANN401 - aiokafka's types are incomplete
    record_headers = headers(
        Kind(topic, what), id_="1", source="test", subject=KEY, time=rfc3339(moment(timestamp_ms))
    )
    body = orjson.dumps(value)
    return ConsumerRecord(
        topic, 0, 0, timestamp_ms, 0, KEY.encode(), body, None, 0, len(body), record_headers
    )


def _assigned(agent: str, method: str) -> dict[str, Any]:
    return {"key": KEY, "holder": agent, "why": {"method": method}}


def _notice(what: str, stored_ms: int) -> Any:  # noqa: ANN401
    value = {"key": KEY, "message": {"stored_at": rfc3339(moment(stored_ms))}}
    return _record(NOTIFICATIONS.name, what, value)


@pytest.mark.parametrize("told_first", [False, True])
def test_the_tally_times_first_and_further_messages(
    monkeypatch: pytest.MonkeyPatch, *, told_first: bool
) -> None:
    monkeypatch.setattr("workers.local.demo.tally.time.time", lambda: (NOW_MS + 80) / 1000)
    assigned: list[str] = []
    tally = Tally([PAGE], Assigned(assigned.append, {}, ()))
    # The two topics are read by two consumers: either may be the first.
    first = (
        (INBOUND.name, _record(INBOUND.name, "message", {})),
        (NOTIFICATIONS.name, _notice("assigned", NOW_MS + 30)),
    )
    for topic, record in reversed(first) if told_first else first:
        tally.see(topic, record)
    tally.see(INBOUND.name, _record(INBOUND.name, "message", {}, NOW_MS + 60))
    tally.see(NOTIFICATIONS.name, _notice("message", NOW_MS + 60))
    assert (tally.latencies.percentile(50), tally.latencies.percentile(99)) == (20, 80)

    for method in ("round_robin", "claim"):
        tally.see(ASSIGNMENTS.name, _record(ASSIGNMENTS.name, "assigned", _assigned("lan", method)))
    for again in ({}, {"again": "rejected"}):  # told again to those who are left
        tally.see(ASSIGNMENTS.name, _record(ASSIGNMENTS.name, "transferring", again))
    for command, code in (("claim", "taken"), ("claim", "expired"), ("set_care", "taken")):
        refused = {"command": command, "code": code}
        tally.see(OUTCOMES.name, _record(OUTCOMES.name, "refused", refused))
    for sender, kind in (("customer", "text"), ("agent", "text"), ("agent", "note"), ("system", "log")):
        tally.see(MESSAGES.name, _record(MESSAGES.name, "stored", {"sender": sender, "kind": kind}))
    tally.see(MESSAGES.name, _record(MESSAGES.name, "read", {}))
    tally.see(INBOUND.name, _record(INBOUND.name, "other", {}))
    tally.see(DEADLETTER.name, _record(INBOUND.name, "message", {}))
    assert tally.counts == {
        INBOUND.name: 2,
        NOTIFICATIONS.name: 2,
        ASSIGNMENTS.name: 2,
        MESSAGES.name: 1,
        DEADLETTER.name: 1,
        "claims": 1,
        "claims lost": 1,
        "transfers": 1,
        "answers": 1,
    }
    assert tally.agents == {"lan": 2}
    assert len(assigned) == 1
    assert assigned[0].startswith("First assignment after")


@pytest.mark.parametrize("order", [("wrote", "see"), ("see", "wrote")])
def test_whoever_watches_is_told_with_whom_his_own_words_on_the_website_are(order: tuple[str, str]) -> None:
    said: list[str] = []
    assigned = Assigned(said.append, {"lan": "Nguyễn Thị Lan"}, {f"{website.PAGE}:a.invented"})
    for user in ("a.invented", "a.somebody", "a.earlier"):
        key = f"{website.PAGE}:{user}"
        for what in order:
            if what == "see":
                assigned.see(key, "lan")
            elif user != "a.earlier":
                assigned.wrote(key)
    assigned.wrote(KEY)
    assigned.see(KEY, "lan")
    assert said[1:] == ["What you wrote on the website is with Nguyễn Thị Lan"]


def test_the_picture_shows_agents_counts_and_latencies() -> None:
    workspace = sample()
    tally = Tally(pages_of(workspace), Assigned(lambda _: None, {}, ()))
    for _ in range(3):
        tally.see(ASSIGNMENTS.name, _record(ASSIGNMENTS.name, "assigned", _assigned("thao", "claim")))
    tally.latencies.add(41)
    ledger = Ledger()
    ledger.posted[PAGE].append(Sent(KEY, "m1"))
    online, headline = {"thao", "lan"}, "50 messages/s · Ctrl-C stops"
    tally.see(INBOUND.name, _record(INBOUND.name, "message", {}))
    visitors, agents = VisitorLedger(online=3), agents_of(workspace)
    picture = Picture(headline, tally, ledger, visitors, agents, online, {"intake": 7})
    console = Console(file=io.StringIO(), width=110)
    console.print(picture, markup=False)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for expected in (
        "Đặng Phương Thảo",
        "agents online",
        "visitors online",
        "messenger",
        "claims lost",
        "█",
        "lag intake",
        "41 ms",
        "Ctrl-C stops",
        "Tổng đài",
    ):
        assert expected in shown
    assert "[" not in shown
    assert "assigned 3" in progress_line(picture)
    assert "online 2, claims 3, claims lost 0" in progress_line(picture)
    assert "latency p95 41 ms" in progress_line(picture)


def test_the_sample_has_pages_of_all_channels_and_twelve_agents() -> None:
    workspace = sample()
    assert {channel_of(page) for page in pages_of(workspace)} == set(OUR_CHANNELS)
    assert f"fchat:{BOT}" in pages_of(workspace)
    assert set(pages_of(workspace)) - set(platform_pages_of(workspace)) == {website.PAGE}
    assert len(agents_of(workspace)) == AGENTS
    assert admins_of(workspace) == {"lan", "thao", "linh"}
    company = company_of(workspace)
    assert set(company.colleagues) == agents_of(workspace).keys()
    assert (company.departments, len(company.reasons)) == (("ban-hang", "cham-soc"), 3)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, []),
        ({"lost": 2}, ["2 lost"]),
        ({"duplicated": 1, "out_of_order": 3}, ["1 duplicated", "3 out of order"]),
        ({"round_robin_spread_max": 2}, ["round robin uneven by 2"]),
        (
            {"without_outcome": 1, "wrong_races": 2},
            ["1 commands without an outcome", "2 races not decided for one"],
        ),
        ({"misshown": 1, "visitors": {"came": 2}}, ["1 messages shown wrong to visitors"]),
        ({"repeated_outcomes": 1, "claims_lost": 9}, ["1 outcomes repeated"]),
        ({"mistold": 1, "refused": 4}, ["1 agents told otherwise than the outcome"]),
        ({"unanswered": 2, "turned_away": {"forbidden": 1}, "returns": 3}, ["2 commands never answered"]),
    ],
)
def test_a_report_tells_what_should_not_be(wrong: dict[str, Any], told: list[str]) -> None:
    names = [name for name in Report.__dataclass_fields__ if name not in {"latency_ms", "seconds"}]
    others = {
        "latency_ms": {"p50": None},
        "seconds": 1.0,
        "refused_by_code": {},
        "turned_away": {},
        "by_channel": {},
        "stored_by_channel": {},
        "visitors": {},
    }
    report = Report(**{**dict.fromkeys(names, 0), **others, **wrong})
    assert report.failures == told
    assert orjson.loads(report.as_json())["latency_ms"] == {"p50": None}
    assert "  latency ms              p50 –" in summary_lines({"latency_ms": {"p50": None}})


def test_the_age_of_this_process_is_plausible() -> None:
    assert 0 < process_age_s() < 24 * 60 * 60
