"""The sender's ledger is true at every moment: also of a sender that is killed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from faults.sender import Sender
from faults.stream import Stream

pytestmark = pytest.mark.servers
RECORDS = 7


def written(ledger: Path) -> list[dict[str, Any]]:
    """What anybody would read in the ledger now."""
    return [orjson.loads(line) for line in ledger.read_bytes().splitlines()]


def types(ledger: Path) -> list[str]:
    return [line["type"] for line in written(ledger)]


def at_sending(monkeypatch: pytest.MonkeyPatch, look: Callable[[], Awaitable[None]]) -> None:
    """Have somebody look, before each record is handed to the producer."""
    send = AIOKafkaProducer.send

    async def looked_at(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever is handed over
        await look()
        return await send(*args, **more)

    monkeypatch.setattr(AIOKafkaProducer, "send", looked_at)


async def send_all(bootstrap_servers: str, topic: str, ledger: Path) -> None:
    sending = Sender(bootstrap_servers, topic, ledger)
    await sending.send(list(islice(Stream(1, 4), RECORDS)))
    await sending.close()


async def test_what_is_sent_stands_in_the_ledger_before_and_its_answer_behind(
    bootstrap_servers: str, topics: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    seen: list[list[str]] = []

    async def look() -> None:
        seen.append(types(ledger))

    at_sending(monkeypatch, look)
    await send_all(bootstrap_servers, topics["inbound"], ledger)
    assert seen == [["invoke"] * RECORDS] * RECORDS
    assert types(ledger) == ["invoke"] * RECORDS + ["ok"] * RECORDS
    asked, answered = written(ledger)[:RECORDS], written(ledger)[RECORDS:]
    assert [line["op"] for line in asked] == [line["op"] for line in answered]
    assert len({(line["partition"], line["offset"]) for line in answered}) == RECORDS


async def test_what_kafka_does_not_acknowledge_is_unknown_and_sent_again_by_another_number(
    bootstrap_servers: str, topics: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    refusals = iter([KafkaTimeoutError()])

    async def refuse_once() -> None:
        if (refusal := next(refusals, None)) is not None:
            raise refusal

    at_sending(monkeypatch, refuse_once)
    await send_all(bootstrap_servers, topics["inbound"], ledger)
    assert types(ledger) == [
        *["invoke"] * RECORDS,
        *["unknown"] * RECORDS,
        *["invoke"] * RECORDS,
        *["ok"] * RECORDS,
    ]
    asked = [line for line in written(ledger) if line["type"] == "invoke"]
    assert [line["op"] for line in asked] == list(range(1, 2 * RECORDS + 1))
    assert [line["id"] for line in asked[:RECORDS]] == [line["id"] for line in asked[RECORDS:]]
