"""A courier's claims are as old as they are, not as old as he knows of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from config.settings import Settings
from tests.delivery.ground import ONE
from workers.channels.delivery import courier as module
from workers.channels.delivery import message_rows
from workers.channels.delivery.bucket import Bucket
from workers.channels.delivery.claims import Taking
from workers.channels.delivery.courier import Courier, Means
from workers.channels.delivery.lost import fresh_s
from workers.channels.delivery.message_rows import Claimed
from workers.channels.delivery.messenger_sender import MessengerSender
from workers.channels.delivery.page_rows import Page
from workers.channels.delivery.progress import Standing

PAGE = Page(ONE, "acme", None, None, 1, False, "split", False, False, None, 0, Bucket(1.0, 1.0))
CLAIMED = Claimed(
    "acme", UUID(int=1), f"{ONE}:an", 1, "bot:x", {"text": "một"}, Standing((), 1), 1, 5.0, None
)


class Pool:
    """Connections that nobody asks anything."""

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        yield


async def test_a_claim_whose_answer_was_long_on_its_way_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings()
    clock, left, given_back = SimpleNamespace(now_s=100.0), [CLAIMED], []

    async def take(*_: object) -> Taking:
        clock.now_s += fresh_s(settings.delivery) + 0.1
        return Taking(PAGE, [left.pop()] if left else [], None)

    async def take_back(_: object, claimed: Claimed, due_s: float) -> None:
        given_back.append((claimed, due_s))

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    monkeypatch.setattr(module, "take", take)
    monkeypatch.setattr(message_rows, "take_back", take_back)
    sender = MessengerSender(cast("Any", None), settings.delivery, ())
    means = Means(settings, cast("Any", Pool()), {"messenger": sender}, cast("Any", None), cast("Any", None))
    await Courier(means, ONE, asyncio.Event()).run()
    assert given_back == [(CLAIMED, 0.0)]
