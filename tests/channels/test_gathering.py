"""Records that come together go to Kafka together, in the order in which they came."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from config.settings import Settings
from config.topics import INBOUND
from tests.idle_time import in_idle_time
from workers.channels import publisher
from workers.channels.metrics import IngressMetrics
from workers.channels.publisher import Publisher, UnpublishedError
from workers.channels.records import Outgoing

LONG_S = 0.3


NEVER = b"never"


class Producer:
    """Notes what is sent, and when; Kafka has it at once, or never."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, float]] = []

    async def stop(self) -> None:
        """As the real one."""

    async def send(self, _: str, value: bytes, *__: Any, **___: Any) -> asyncio.Future[None]:  # noqa: ANN401
        loop = asyncio.get_running_loop()
        self.sent.append((value, loop.time()))
        done = loop.create_future()
        if value != NEVER:
            done.set_result(None)
        return done


@in_idle_time
async def test_who_comes_alone_is_sent_at_once_and_those_who_follow_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "GATHER_S", LONG_S)
    producer = Producer()
    publishing = Publisher(Settings().kafka, [INBOUND], 60.0, IngressMetrics(), lambda _: None)
    monkeypatch.setattr(publishing, "_producer", producer)

    async def publish(number: int) -> None:
        await publishing.publish([Outgoing("inbound", b"key", b"%d" % number, [], "message")])

    begun_s = asyncio.get_running_loop().time()
    await publish(0)
    await asyncio.gather(*(publish(number) for number in range(1, 9)))
    await asyncio.gather(publish(9))
    values = [value for value, _ in producer.sent]
    alone_s, *together_s, last_s = (at_s - begun_s for _, at_s in producer.sent)
    assert values == [b"%d" % number for number in range(10)]
    assert alone_s == 0
    assert together_s == [pytest.approx(LONG_S)] * 8
    assert last_s == pytest.approx(2 * LONG_S)
    await asyncio.sleep(LONG_S)
    begun_s = asyncio.get_running_loop().time()
    await publish(10)
    assert producer.sent[-1][1] == begun_s


@in_idle_time
async def test_a_producer_is_given_up_only_when_nothing_is_confirmed_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "GATHER_S", 0.0)
    publishing = Publisher(Settings().kafka, [INBOUND], LONG_S, IngressMetrics(), lambda _: None)
    monkeypatch.setattr(publishing, "_producer", Producer())

    async def publish(value: bytes) -> None:
        await publishing.publish([Outgoing("inbound", b"key", value, [], "message")])

    late = asyncio.create_task(publish(NEVER))
    await asyncio.sleep(0)
    await publish(b"in time")
    with pytest.raises(UnpublishedError):
        await late
    kept = publishing.connected
    with pytest.raises(UnpublishedError):
        await publish(NEVER)
    assert (kept, publishing.connected) == (True, False)
    await publishing.__aexit__()
