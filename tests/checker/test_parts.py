"""The checker's partitioner, its count of turns, and its ledger."""

from __future__ import annotations

import orjson
import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from checker.invariants.ledger import Ledger, LedgerCheck
from checker.invariants.rotation import spread_of
from checker.murmur2 import murmur2
from checker.record import LogRecord
from tests.checker.planted import Planted
from tests.checker.plants import clean

Lines = list[dict[str, object]]


@given(st.binary(max_size=40))
def test_murmur2_is_that_of_kafka(data: bytes) -> None:
    assert murmur2(data) & 0x7FFFFFFF == murmur2_of_aiokafka(data) & 0x7FFFFFFF


@pytest.mark.parametrize(
    ("turns", "agents", "spread"),
    [
        ("abcabc", "abc", 1),
        ("abcabc", "", 0),
        ("aab", "abc", 2),
        ("abab", "abc", 2),
        ("axbxcx", "abc", 1),
        ("abccba", "abc", 1),
        ("abcaab", "abc", 2),
    ],
)
def test_the_spread_is_taken_after_every_prefix(turns: str, agents: str, spread: int) -> None:
    assert spread_of(list(turns), set(agents)) == spread


def lines(planted: Planted) -> Lines:
    """The ledger of everything in inbound: all of it sent, then all of it acknowledged."""
    records = list(enumerate(planted.topics["inbound"]))
    return [
        *(invoke(op, record) for op, record in records),
        *({"type": "ok", "op": op, "partition": one.partition, "offset": one.offset} for op, one in records),
    ]


def invoke(op: int, record: LogRecord) -> dict[str, object]:
    """It will be sent."""
    return {"type": "invoke", "op": op, "key": (record.key or b"").decode(), "id": record.id}


def checked(planted: Planted, ledger: Lines) -> list[bool | None]:
    """Whether everything was kept, and nothing is there that was not sent."""
    check = LedgerCheck(Ledger(map(orjson.dumps, ledger)))
    for _ in check.watch(planted.records("inbound")):
        pass
    return [tally.holds for tally in check.tallies]


def test_a_ledger_of_all_that_was_sent_agrees() -> None:
    planted = clean()
    assert checked(planted, lines(planted)) == [True, True]


def test_an_acknowledged_record_that_is_gone_is_caught() -> None:
    planted = clean()
    ledger = lines(planted)
    planted.topics["inbound"].pop(3)
    assert checked(planted, ledger) == [False, True]


def test_a_record_that_nobody_sent_is_caught() -> None:
    planted = clean()
    assert checked(planted, [line for line in lines(planted) if line["op"] != 0]) == [True, False]


@pytest.mark.parametrize(
    "answer", [[], [{"type": "unknown", "op": 0}]], ids=["its sender was killed", "nobody answered"]
)
def test_a_record_without_an_answer_may_be_there_or_not(answer: Lines) -> None:
    planted = clean()
    ledger = [line for line in lines(planted) if (line["type"], line["op"]) != ("ok", 0)]
    assert checked(planted, [*ledger, *answer]) == [True, True]
    planted.topics["inbound"].pop(0)
    assert checked(planted, [*ledger, *answer]) == [True, True]


def test_a_place_that_was_acknowledged_twice_is_a_record_lost_and_none_that_was_not_sent() -> None:
    """Kafka lost the end of its log, and what was forwarded from there is still where it came to."""
    planted = clean()
    first = planted.topics["inbound"][0]
    before = [
        invoke(-1, first._replace(key=b"messenger:1001:u1")),
        {"type": "ok", "op": -1, "partition": first.partition, "offset": first.offset},
    ]
    forwarded = first._replace(key=b"messenger:1001:u1", partition=5, offset=0)
    ledger = [*before, *lines(planted)]
    planted.topics["inbound"].append(forwarded)
    assert checked(planted, ledger) == [False, True]
