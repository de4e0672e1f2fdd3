"""The limits of the ingress, with a clock of our own."""

from __future__ import annotations

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from config.settings import Settings
from schemas.inbound import Message
from tests.channels.conftest import running, with_ingress
from tests.website.ground import opening, with_site
from workers.channels.admission import Admission
from workers.channels.channel import Skipped
from workers.channels.ingress import create_app
from workers.channels.page_limit import PageLimit
from workers.channels.problem import OverloadedError, PageFloodedError
from workers.channels.rate_limit import RateLimit, bucket_of
from workers.local.ports import free_port


def test_an_address_may_send_its_burst_and_then_its_rate() -> None:
    limit = RateLimit(rate_per_s=2, burst=3)
    assert [limit.take("a", 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.take("a", 0.25) == 0.25
    assert limit.take("a", 0.5) == 0
    assert limit.take("b", 0.5) == 0


@pytest.mark.parametrize(
    "path", ["/v1/files/x", "/widget/v1/tongdai.js", "/v1/webhooks/zalo", "/v1/webhooks/fchat/x", "/nothing"]
)
async def test_an_address_has_one_limit_for_whatever_it_asks(path: str) -> None:
    settings = with_site(with_ingress(Settings()))
    limited = settings.ingress.model_copy(update={"rate_per_s": 0.01, "rate_burst": 3})
    app = create_app(settings.model_copy(update={"ingress": limited}), raised).app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress") as client:
        for _ in range(3):
            assert (await client.get(path)).status_code != httpx.codes.TOO_MANY_REQUESTS
        refused = await client.get(path)
        assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert 90 <= int(refused.headers["retry-after"]) <= 100
        assert (await client.get("/healthz")).status_code == httpx.codes.OK
        counted = 'tongdai_ingress_refused_total{channel="any",reason="rate_limited"} 1.0'
        assert counted in (await client.get("/metrics")).text


async def test_sockets_are_among_what_it_asks() -> None:
    kafka = {"bootstrap_servers": f"127.0.0.1:{free_port()}"}
    gone = Settings.model_validate(
        {"kafka": kafka, "postgres": {"dsn": f"postgresql://x@127.0.0.1:{free_port()}/x"}}
    )
    settings = with_site(gone)
    limited = settings.ingress.model_copy(update={"rate_per_s": 0.01, "rate_burst": 1})
    async with running(settings.model_copy(update={"ingress": limited})) as client:
        async with opening(client):
            pass
        with pytest.raises(InvalidStatus) as refused:
            async with opening(client):
                pass
    assert refused.value.response.status_code == httpx.codes.TOO_MANY_REQUESTS


def raised(error: BaseException) -> None:
    raise error


def message(page: str, number: int = 0) -> Message:
    _, _, account = page.partition(":")
    return Message(
        channel="messenger", account=account, user="u", channel_message_id=f"m_{number}", text="x", raw={}
    )


def test_a_page_that_is_flooded_waits_and_no_other_does() -> None:
    limit = PageLimit(rate_per_s=2, burst=3)
    skipped = Skipped("changes")
    limit.admit([*(message("messenger:1", number) for number in range(7)), skipped], 0)
    with pytest.raises(
        PageFloodedError, match="page messenger:1 brings more than 2 events a second"
    ) as flooded:
        limit.admit([message("messenger:2"), message("messenger:1")], 0)
    assert flooded.value.retry_after_s == 2.5, "four are owed, and one is needed"
    for _ in range(3):
        limit.admit([message("messenger:2")], 0)
    limit.admit([message("messenger:1")], 2.5)
    with pytest.raises(PageFloodedError):
        limit.admit([message("messenger:1")], 2.9)
    limit.admit([skipped], 2.9)


def test_tokens_do_not_grow_beyond_the_burst() -> None:
    limit = RateLimit(rate_per_s=1, burst=2)
    assert [limit.take("a", 0), *(limit.take("a", 1_000) for _ in range(3))] == [0, 0, 0, 1]


def test_the_table_keeps_those_that_came_last() -> None:
    limit = RateLimit(rate_per_s=1, burst=1, addresses_max=2)
    for address in ("a", "b", "a", "c"):
        limit.take(address, 0)
    assert len(limit) == 2
    assert limit.take("a", 0) > 0
    assert limit.take("b", 0) == 0


def test_addresses_of_one_subscriber_share_a_bucket() -> None:
    assert bucket_of("2001:db8::1") == bucket_of("2001:db8::ffff:1") != bucket_of("2001:db8:0:1::1")
    assert bucket_of("fe80::1%eth0") == bucket_of("fe80::2")
    assert bucket_of("10.0.0.1") == bucket_of("::ffff:10.0.0.1") == "10.0.0.1"
    assert bucket_of("not:an:address") == "not:an:address"


def test_requests_at_once_have_a_limit() -> None:
    admission = Admission(requests_max=1)
    with admission.enter():
        with pytest.raises(OverloadedError, match="1 requests wait"), admission.enter():
            pass
        assert admission.requests == 1
    with admission.enter():
        pass
    assert admission.requests == 0


def test_bytes_at_once_have_a_limit() -> None:
    admission = Admission(held_bytes_max=10)
    with admission.enter() as first, admission.enter() as second:
        first.add(6)
        with pytest.raises(OverloadedError, match="too large together"):
            second.add(5)
        second.add(4)
    with admission.enter() as third:
        third.add(10)
