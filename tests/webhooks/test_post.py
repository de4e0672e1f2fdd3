"""The way out to one endpoint: by the secrets that are good now, and only under a lease that lasts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from config.webhooks import WebhooksSettings
from tests.webhooks.ground import KEYS
from workers.webhooks.leases import Leased, Name
from workers.webhooks.post import Lease, Post
from workers.webhooks.sender import Sender
from workers.webhooks.signing import Keys
from workers.webhooks.verdict import Answer

CURRENT, FORMER = KEYS.draw(), KEYS.draw()
SETTINGS = WebhooksSettings(request_timeout_s=5.0)


class Recorder:
    """Stands where requests would go out."""

    def __init__(self) -> None:
        self.secrets: list[Sequence[str]] = []

    async def send(self, _url: str, secrets: Sequence[str], _id: str, _body: bytes) -> Answer:
        self.secrets.append(secrets)
        return Answer(204, None, None, 1)


def leased(former_until: datetime | None) -> Leased:
    return Leased(
        Name("shop", "crm"),
        term=1,
        url="https://hooks.example.com",
        events=frozenset({"assignments"}),
        is_active=True,
        test_asked=False,
        salt=CURRENT,
        former_salt=FORMER if former_until else None,
        former_until=former_until,
        start=None,
        failures=0,
        failing_since=None,
        retry_at=None,
    )


def post(recorder: Recorder, lease: Lease, ended: asyncio.Event, **more: object) -> Post:
    keys = cast("Keys", more.get("keys", KEYS))
    former_until = cast("datetime | None", more.get("former_until"))
    return Post(leased(former_until), lease, ended, SETTINGS, cast("Sender", recorder), keys)


@pytest.mark.parametrize("hours", [None, -1, 1])
async def test_a_former_secret_signs_until_its_time_is_over(hours: int | None) -> None:
    recorder = Recorder()
    until = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    lease = Lease(time.monotonic() + 60)
    await post(recorder, lease, asyncio.Event(), former_until=until).send("id", b"{}")
    good = [CURRENT, FORMER] if hours == 1 else [CURRENT]
    assert recorder.secrets == [[KEYS.secret(salt) for salt in good]]


async def test_without_its_key_nothing_is_sent_and_that_is_told() -> None:
    recorder = Recorder()
    other = Keys(lambda: ["another key of thirty-two bytes or more"])
    answer = await post(recorder, Lease(time.monotonic() + 60), asyncio.Event(), keys=other).send("id", b"{}")
    assert answer is not None
    assert answer.error is not None
    assert "TONGDAI_WEBHOOKS_SIGNING_KEYS has no key" in answer.error
    assert not recorder.secrets


async def test_nothing_is_begun_that_the_lease_might_not_outlast() -> None:
    recorder, ended = Recorder(), asyncio.Event()
    lease = Lease(time.monotonic() + SETTINGS.request_timeout_s - 0.01)
    sending = asyncio.create_task(post(recorder, lease, ended).send("id", b"{}"))
    await asyncio.wait([sending], timeout=0.3)
    assert not sending.done()
    lease.until_s = time.monotonic() + 60  # renewed
    assert await sending == Answer(204, None, None, 1)

    lease.until_s = 0.0
    sending = asyncio.create_task(post(recorder, lease, ended).send("id", b"{}"))
    await asyncio.wait([sending], timeout=0.1)
    ended.set()
    assert await sending is None
    assert len(recorder.secrets) == 1
