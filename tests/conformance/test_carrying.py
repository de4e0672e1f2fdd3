"""The rules of the way out: who tells what he should passes, and each mistake fails its own rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from tests.conformance.connector import good
from workers.conformance.carrying import Asked, Carrying
from workers.conformance.kit import check
from workers.conformance.seen import Seen
from workers.conformance.verdict import Verdict

KEY = "telegram:shop:an"
FIRST, SECOND = (f"0c3c2f2e-8a52-5cb1-9d5e-0d2f3f1d7a1{number}" for number in ("a", "b"))
ASKED = [Asked(f"0-{offset}", KEY, message) for offset, message in enumerate((FIRST, SECOND))]
FAILED = {"message": SECOND, "state": "failed", "reason": "unreachable"}
SENT = {"message": FIRST, "state": "sent", "channel_message_id": "4711"}
READ = {"message": FIRST, "state": "read"}
OLDER = {"message": "0c3c2f2e-8a52-5cb1-9d5e-0d2f3f1d7a99", "state": "read"}


def told(*values: Mapping[str, object], key: str = KEY, what: str = "carried") -> list[Seen]:
    """What a connector tells on receipts."""
    return [
        Seen(
            f"1-{offset}",
            key.encode(),
            orjson.dumps({"channel": "telegram", "account": "shop", "user": "an", **value}),
            [("ce_type", f"tongdai.receipts.{what}.v1".encode())],
            topic="receipts",
        )
        for offset, value in enumerate(values)
    ]


def tried(receipts: list[Seen], asked: list[Asked] = ASKED) -> dict[str, Verdict]:
    verdicts = check(good().records, 4, "not followed", Carrying(asked, receipts))
    return {each.rule: each for each in verdicts if each.rule in {"answers", "receipts", "steps"}}


@pytest.mark.parametrize(
    "values",
    [
        (SENT, SENT, READ, FAILED),
        (SENT, {**READ, "state": "delivered"}, READ, SENT, READ, FAILED, FAILED),
        (READ, FAILED),
        (SENT, FAILED, OLDER),
        ({**SENT, "message": FIRST.upper()}, FAILED),
    ],
)
def test_who_tells_of_each_answer_in_its_order_passes(values: tuple[Mapping[str, Any], ...]) -> None:
    verdicts = tried(told(*values))
    assert [each.state for each in verdicts.values()] == ["passed"] * 3, verdicts


@pytest.mark.parametrize(
    ("receipts", "rule", "problem"),
    [
        (told(SENT), "answers", f"nothing was told of the answer {SECOND}"),
        (told(SENT, FAILED, {"state": "sent"}), "receipts", "message: Field required"),
        (told(SENT, FAILED, {**SENT, "state": "seen"}), "receipts", "state: Input should be 'sent'"),
        (told(SENT, FAILED, {**SENT, "channel": "zalo"}), "receipts", "by no connector"),
        (told(SENT, FAILED) + told(SENT, what="carry"), "receipts", "is 'tongdai.receipts.carry.v1'"),
        (told(SENT, FAILED) + told(SENT, key="an"), "receipts", "the key is 'an'"),
        (
            told(SENT, FAILED) + told({**SENT, "user": "chi"}, key="telegram:shop:chi"),
            "receipts",
            f"the answer is for {KEY}, and told of as telegram:shop:chi",
        ),
        (told(READ, SENT, FAILED), "steps", f"the answer {FIRST} is told to be read, then sent"),
        (told(SENT, FAILED, {**FAILED, "state": "sent", "reason": None}), "steps", "failed and sent"),
        (told(SENT, {**SENT, "channel_message_id": "9"}, FAILED), "steps", "has the ids 4711, 9"),
    ],
)
def test_each_mistake_of_the_way_out_fails_its_own_rule(
    receipts: list[Seen], rule: str, problem: str
) -> None:
    verdicts = tried(receipts)
    assert [name for name, each in verdicts.items() if each.state == "failed"] == [rule], verdicts
    assert any(problem in fault.what for fault in verdicts[rule].faults), verdicts[rule].faults


def test_what_nobody_asked_is_not_tried_and_what_nobody_carries_not_spoken_of() -> None:
    assert {each.state for each in tried([], []).values()} == {"not_tried"}
    assert "answers" not in {each.rule for each in check(good().records, 4, "not followed")}
