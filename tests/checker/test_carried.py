"""What connectors tell of answers that they carry: the checker follows it from outbound to what was told."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from checker.invariants.deliveries import DeliveriesCheck
from checker.record import LogRecord
from schemas.envelope import Kind, headers

MESSAGE = "0c3c2f2e-8a52-5cb1-9d5e-0d2f3f1d7a11"
ABOUT: dict[str, Any] = {
    "workspace": "acme",
    "conversation": "c",
    "key": "telegram:shop:an",
    "page": "telegram:shop",
    "message": MESSAGE,
    "position": 2,
    "sender": "agent:acme/lan",
}


def record(topic: str, what: str, offset: int, **value: object) -> LogRecord:
    ce = headers(Kind(topic, what), id_=f"{topic}-{offset}", source="tests", subject="k", time="")
    return LogRecord(0, offset, 0, ABOUT["key"].encode(), orjson.dumps({**ABOUT, **value}), tuple(ce))


def stood(offset: int, state: str) -> LogRecord:
    """An answer is told to stand so."""
    ids = [] if state in {"queued", "failed"} else ["4711"]
    return record(
        "receipts", "delivery", offset, state=state, parts=1, channel_message_ids=ids, version=offset + 1
    )


@pytest.mark.parametrize(
    ("said", "stands", "problem"),
    [
        (["sent", "sent", "delivered", "read"], ["queued", "sent", "read"], None),
        (["delivered"], ["queued", "delivered"], None),
        (["sent", "delivered"], ["queued", "sent"], None),  # of who is kept out
        (["failed"], ["queued", "failed"], None),
        ([], ["queued"], None),
        (["sent"], ["queued", "sent", "read"], "read, which no channel has said"),
        ([], ["queued", "sent", "delivered"], "delivered, which no channel has said"),
        (["sent"], ["queued"], "queued, its connector has said {'sent'}"),
    ],
)
def test_an_answer_stands_as_its_connector_has_told(
    said: list[str], stands: list[str], problem: str | None
) -> None:
    outbound = [record("outbound", "send", 0)]
    outbound += [record("outbound", "carried", offset, state=state) for offset, state in enumerate(said, 1)]
    receipts = [stood(offset, state) for offset, state in enumerate(stands)]
    check = DeliveriesCheck({0: len(outbound)})
    check.hear(receipts)
    for watched in (check.watch_receipts(receipts), check.watch_outbound(outbound)):
        list(watched)
    check.walk([])
    found = [tally.witness for tally in check.tallies if tally.violated]
    assert len(found) == (problem is not None), found
    assert all(str(problem) in str(witness) for witness in found), found
