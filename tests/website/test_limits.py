"""Who may open a chat window, how much he may do, and what he is told while servers are away."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import jwt
import pytest
from websockets.exceptions import InvalidStatus

from config.settings import Settings
from tests.channels.conftest import running
from tests.website.ground import KEY, PAGE, SECRET, SITE, Visitor, opening, visiting, with_site
from workers.channels.website.tokens import VisitorTokens
from workers.local.ports import free_port

pytestmark = pytest.mark.servers


@pytest.fixture
async def kafkaless(database: str) -> AsyncIterator[httpx.AsyncClient]:
    """An ingress that has Postgres and no Kafka: enough for who comes, and for what is refused."""
    settings = Settings().with_servers(bootstrap_servers=f"127.0.0.1:{free_port()}", dsn=database)
    limits = {"sockets_per_visitor_max": 2, "sockets_per_address_max": 4, "visitor_rate_burst": 3}
    async with running(with_site(settings, **limits)) as client:
        yield client


async def test_who_comes_and_how_much_he_may_do(kafkaless: httpx.AsyncClient, database: str) -> None:
    await _the_script_is_kept_by_caches(kafkaless)
    await _a_page_that_no_workspace_has_takes_nobody(kafkaless)
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO page_registry VALUES ($1, 'acme', 'main')", PAGE)
    await connection.close()
    await _who_has_proved_himself_is_the_same_wherever_he_comes_from(kafkaless)
    await _whoever_is_on_a_page_that_is_moved_or_given_up_must_go(kafkaless, database)
    for site, origin in (("other", "https://shop.example"), (SITE, "https://evil.example"), (SITE, None)):
        with pytest.raises(InvalidStatus) as refused:
            async with opening(kafkaless, site, origin):
                pass
        assert refused.value.response.status_code == httpx.codes.FORBIDDEN

    refusals: list[tuple[dict[str, object], int]] = [
        ({"do": "ping"}, 4400),
        ({"do": "start", "after": "x"}, 4400),
        ({"do": "start", "proof": {"token": "nonsense"}}, 4401),
        ({"do": "start", "proof": {"id": "42", "hash": "0" * 64}}, 4401),
    ]
    for said, code in refusals:
        async with opening(kafkaless) as socket:
            visitor = Visitor(socket)
            await visitor.send(said)
            assert await visitor.closed() == code, said

    async with visiting(kafkaless) as first, visiting(kafkaless, token=first.token) as second:
        tokens = VisitorTokens([KEY], 1)
        assert tokens.read(SITE, first.token) == tokens.read(SITE, second.token)
        async with opening(kafkaless) as socket:  # a third tab
            third = Visitor(socket)
            await third.do("start", token=first.token)
            assert await third.closed() == 4409
        async with visiting(kafkaless, token="none of ours") as stranger:
            assert tokens.read(SITE, stranger.token) != tokens.read(SITE, first.token)
            async with visiting(kafkaless), opening(kafkaless) as socket:  # the fifth of this address
                assert await Visitor(socket).closed() == 4409
        # Kafka has nothing: nothing is taken, and the widget is told to send it again.
        await first.do("say", id="m1", text="Alo?", at_ms=1)
        refused_ = await first.until("refused")
        assert (refused_["id"], refused_["code"]) == ("m1", "unpublished")
        assert refused_["retry_after_s"] > 0
        for _ in range(8):
            await first.do("ping")
        limited = await first.until("refused", code="too_many")
        assert 0 < limited["retry_after_s"] <= 1
        await first.socket.send("x" * 40_000)
        assert await first.closed() == 1009
        await second.do("sing")
        assert await second.closed() == 4400
    assert "tongdai_ingress_visitors 0.0" in (await kafkaless.get("/metrics")).text


async def _who_has_proved_himself_is_the_same_wherever_he_comes_from(
    kafkaless: httpx.AsyncClient,
) -> None:
    tokens = VisitorTokens([KEY], 1)
    proof = {"token": jwt.encode({"sub": "42", "exp": int(time.time()) + 600}, SECRET, algorithm="HS256")}
    async with visiting(kafkaless) as anonymous, visiting(kafkaless, proof=proof) as an:
        assert tokens.read(SITE, an.token) == "v.42"
        # In the life of a document the proof ends; what we gave for it does not, and no other token serves.
        late = {"token": jwt.encode({"sub": "42", "exp": 1}, SECRET, algorithm="HS256")}
        async with visiting(kafkaless, proof=late, token=an.token) as again:
            assert tokens.read(SITE, again.token) == "v.42"
        async with opening(kafkaless) as socket:
            thief = Visitor(socket)
            await thief.do("start", proof=late, token=anonymous.token)
            assert await thief.closed() == 4401


async def _whoever_is_on_a_page_that_is_moved_or_given_up_must_go(
    kafkaless: httpx.AsyncClient, database: str
) -> None:
    connection = await asyncpg.connect(database)
    async with visiting(kafkaless) as visitor:
        await connection.execute("UPDATE page_registry SET workspace_id = 'globex'")
        assert await visitor.closed() == 1013
    async with visiting(kafkaless, token=visitor.token) as visitor:
        await connection.execute("DELETE FROM page_registry")
        assert await visitor.closed() == 4404
    await _a_page_that_no_workspace_has_takes_nobody(kafkaless)
    await connection.execute("INSERT INTO page_registry VALUES ($1, 'acme', 'main')", PAGE)
    await connection.close()


async def test_while_postgres_is_away_he_is_told_to_come_back() -> None:
    gone = Settings().with_servers(
        bootstrap_servers=f"127.0.0.1:{free_port()}", dsn=f"postgresql://x@127.0.0.1:{free_port()}/x"
    )
    async with running(with_site(gone)) as client, opening(client) as socket:
        visitor = Visitor(socket)
        await visitor.do("start")
        assert await visitor.closed() == 1013


async def _a_page_that_no_workspace_has_takes_nobody(client: httpx.AsyncClient) -> None:
    async with opening(client) as socket:
        visitor = Visitor(socket)
        await visitor.do("start")
        assert await visitor.closed() == 4404


async def _the_script_is_kept_by_caches(client: httpx.AsyncClient) -> None:
    found = await client.get("/widget/v1/tongdai.js")
    assert (found.headers["content-encoding"], found.headers["access-control-allow-origin"]) == ("gzip", "*")
    assert (await client.get("/v1/website/widget.js")).content == found.content  # its former name
    same = await client.get("/widget/v1/tongdai.js", headers={"if-none-match": found.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    digest = found.headers["etag"].strip('"')
    pinned = await client.get(f"/widget/v1/tongdai-{digest[:16]}.js", headers={"accept-encoding": "identity"})
    assert pinned.content == found.content
    assert "immutable" in pinned.headers["cache-control"]
    assert (await client.get(f"/widget/v1/tongdai-{'0' * 16}.js")).status_code == httpx.codes.NOT_FOUND
