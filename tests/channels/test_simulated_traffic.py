"""The simulator against the real ingress and a real Kafka: what is answered 200 is there, in its order."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from schemas.envelope import header
from tests.channels.conftest import Reader
from tests.channels.traffic import messages, simulator

pytestmark = pytest.mark.servers


async def test_what_is_answered_200_is_on_kafka(ingress: httpx.AsyncClient, read: Reader) -> None:
    ledger = await simulator(str(ingress.base_url), rate_per_s=500).run(messages=300)
    summary = ledger.summary()
    assert summary["accepted"] == summary["posted"] >= 300
    assert (summary["refused"], summary["given_up"]) == (0, 0)
    assert messages(await read("inbound")) == ledger.accepted_by_conversation()
    letters = Counter(header(letter.headers, "deadletter_reason") for letter in await read("deadletter"))
    assert letters == {b"unreadable": summary["unreadable"], b"unknown_event": summary["unknown_kind"]}
