"""A platform posts again until it is answered 200, or has had enough."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from workers.local.simulator.delivery import Delivery
from workers.local.simulator.ledger import Ledger, Sent
from workers.local.simulator.webhook import Webhook

WEBHOOK = Webhook(
    "message", "zalo:5797", b"{}", {"x-zevent-signature": "mac=0"}, (Sent("zalo:5797:1", "m_1"),)
)

Outcome = int | type[httpx.TransportError]


async def deliver(*outcomes: Outcome) -> tuple[bool, Ledger]:
    """Deliver to an ingress that answers like this, one after the other, within four attempts."""
    waiting: Iterator[Outcome] = iter(outcomes)

    async def answer(request: httpx.Request) -> httpx.Response:
        assert (request.url.path, request.content) == ("/v1/webhooks/zalo", b"{}")
        assert request.headers["x-zevent-signature"] == "mac=0"
        outcome = next(waiting)
        if isinstance(outcome, int):
            return httpx.Response(outcome)
        raise outcome("broken", request=request)

    ledger = Ledger()
    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingress") as client:
        taken = await Delivery(client, ledger, concurrency=1, retry_delays_s=(0, 0, 0)).deliver(WEBHOOK, 1.0)
    assert next(waiting, None) is None
    return taken, ledger


async def test_what_is_taken_is_posted_once() -> None:
    taken, ledger = await deliver(200)
    assert (taken, ledger.retries, dict(ledger.answers)) == (True, 0, {"200": 1})


@pytest.mark.parametrize("failure", [500, 503, 429, httpx.ReadTimeout, httpx.ConnectError])
async def test_failures_are_tried_again(failure: Outcome) -> None:
    taken, ledger = await deliver(failure, failure, 200)
    assert (taken, ledger.retries, ledger.given_up) == (True, 2, 0)


async def test_answers_are_counted_by_their_kind() -> None:
    _, ledger = await deliver(503, httpx.ReadTimeout, httpx.ConnectError, 200)
    assert ledger.answers == {"503": 1, "timeout": 1, "unreachable": 1, "200": 1}


async def test_a_platform_has_enough_at_last() -> None:
    taken, ledger = await deliver(503, 503, 503, 503)
    assert (taken, ledger.retries, ledger.given_up, ledger.refused) == (False, 3, 1, 0)


async def test_a_refusal_is_not_tried_again() -> None:
    taken, ledger = await deliver(403)
    assert (taken, ledger.retries, ledger.given_up, ledger.refused) == (False, 0, 0, 1)
