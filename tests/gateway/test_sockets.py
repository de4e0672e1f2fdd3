"""Notifications over sockets: resumed without loss, cut off when not read, ended with the token."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

import asyncpg
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from config.settings import Settings
from schemas.assignments import Presence
from schemas.envelope import Kind
from schemas.ids import agent_key, audience_key
from tests.gateway.ground import (
    PAGE,
    SHOP,
    Client,
    add_people,
    customer_writes,
    gateway,
    publish,
    shop,
    sign_in,
)
from tests.waiting import until
from workers.gateway import accounts

pytestmark = pytest.mark.servers

DEADLINE_S = 90.0
MESSAGE = Kind("notifications", "message")
OFFERED = Kind("notifications", "offered")
PRESENT = "SELECT FROM desk_presence WHERE agent_id = $1 AND presence = $2"


async def receive(socket_: ClientConnection) -> dict[str, Any]:
    """The next thing that is sent."""
    async with asyncio.timeout(DEADLINE_S):
        said: dict[str, Any] = orjson.loads(await socket_.recv())
    return said


async def say(socket_: ClientConnection, **said: object) -> None:
    await socket_.send(orjson.dumps(said).decode())


def to(agent: str, number: int) -> tuple[Kind, str, dict[str, Any]]:
    """A notice for one agent."""
    return MESSAGE, agent_key(SHOP, agent), {"workspace": SHOP, "number": number}


def offer(number: int) -> tuple[Kind, str, dict[str, Any]]:
    """An offer to the first rule."""
    return OFFERED, audience_key(SHOP, "rule:first/0"), {"workspace": SHOP, "page": PAGE, "number": number}


async def numbers(socket_: ClientConnection, count: int) -> tuple[list[int], str]:
    """The numbers of the next notices, and the last one's id."""
    found = [await receive(socket_) for _ in range(count)]
    return [one["data"]["number"] for one in found], found[-1]["id"]


async def closed(socket_: ClientConnection) -> tuple[int | None, str | None]:
    """How the gateway closed it; what was sent before is passed over."""
    async with asyncio.timeout(DEADLINE_S):
        await socket_.wait_closed()
    return socket_.close_code, socket_.close_reason


async def until_present(database: asyncpg.Connection[Any], agent: str, what: Presence) -> None:
    await until(database, PRESENT, agent, what)


async def test_who_comes_back_misses_nothing_and_sees_nothing_twice(
    settings: Settings, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = topics["notifications"]
    async with shop(settings) as database:
        async with gateway(settings) as http:
            lan, nga = await sign_in(http, "lan"), await sign_in(http, "nga")
            async with lan.signed_in() as other_tab:
                async with lan.signed_in() as tab, nga.signed_in() as stranger:
                    for each in (tab, other_tab, stranger):
                        assert (await receive(each))["event"] == "ready"
                    await publish(settings, topic, [to("lan", 1), offer(2), to("minh", 3), to("lan", 4)])
                    found, last = [], ""
                    for _ in range(3):
                        (number,), last = await numbers(tab, 1)
                        found.append(number)
                    assert sorted(found) == [1, 2, 4]
                    assert (await numbers(other_tab, 3))[1] == last
                    await publish(settings, topic, [to("nga", 5)])
                    # The offer was not for her, so this is the first that she sees.
                    assert (await numbers(stranger, 1))[0] == [5]
                    await until_present(database, "lan", "online")
                    await say(tab, do="away", away=True)
                    await until_present(database, "lan", "away")

                await publish(settings, topic, [to("lan", 6), offer(7)])
                # What is on Kafka may not have been read yet: it would come after `ready`.
                assert sorted((await numbers(other_tab, 2))[0]) == [6, 7]
            async with lan.signed_in(last) as tab:  # out of memory
                assert sorted((await numbers(tab, 2))[0]) == [6, 7]
                assert (await receive(tab))["event"] == "ready"
            async with lan.signed_in("nonsense") as tab:
                assert (await receive(tab))["event"] == "reset"

        await publish(settings, topic, [to("lan", 8), to("minh", 9)])
        monkeypatch.setattr("workers.gateway.tail.RECENT_S", -60)  # another gateway, that remembers nothing
        async with gateway(settings) as http:
            lan = await sign_in(http, "lan")
            async with lan.signed_in(last) as tab:  # out of Kafka
                found, last = await numbers(tab, 3)
                assert sorted(found) == [6, 7, 8]
                assert (await receive(tab))["event"] == "ready"
                await publish(settings, topic, [to("lan", 10)])
                assert (await numbers(tab, 1))[0] == [10]
            monkeypatch.setattr("workers.gateway.replay.RECORDS_MAX", 0)
            monkeypatch.setattr("workers.gateway.recent.Recent.has_all_since", lambda *_: False)
            async with lan.signed_in(last) as tab:
                assert (await receive(tab))["event"] == "reset"


async def publish_in_rounds(settings: Settings, topic: str) -> None:
    """300 notices each to lan and minh, a few at a time, so that some are on their way at every moment."""
    for first in range(1, 301, 20):
        few = range(first, first + 20)
        await publish(settings, topic, [to(agent, each) for each in few for agent in ("lan", "minh")])


async def test_going_to_and_fro_between_gateways_loses_and_doubles_nothing(
    settings: Settings, topics: dict[str, str]
) -> None:
    database = await asyncpg.connect(settings.postgres.dsn.get_secret_value())
    await add_people(database)
    await database.close()
    async with gateway(settings) as one, gateway(settings) as other:
        clients = [await sign_in(one, "lan"), await sign_in(other, "lan")]
        async with clients[0].signed_in() as tab:
            last: str = (await receive(tab))["id"]
        seen: list[int] = []
        pick = random.Random(7)
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as beside:
            beside.create_task(publish_in_rounds(settings, topics["notifications"]))
            while len(seen) < 300:
                async with pick.choice(clients).signed_in(last) as tab:
                    for _ in range(pick.randrange(40)):
                        said = await receive(tab)
                        last = said["id"]
                        if said["event"] == "message":
                            seen.append(said["data"]["number"])
                        assert said["event"] != "reset"
                        if len(seen) == 300:
                            break
    assert seen == list(range(1, 301))


async def test_commands_go_over_the_socket_in_their_order(settings: Settings, topics: dict[str, str]) -> None:
    async with shop(settings) as database:
        conversation = await customer_writes(settings, topics, "u1")
        offered = "SELECT FROM desk_conversation WHERE conversation_id = $1 AND standing = 'offered'"
        await until(database, offered, conversation)
        async with gateway(settings, offline_grace_s=0) as http:
            lan, ha = await sign_in(http, "lan"), await sign_in(http, "ha")
            async with lan.signed_in() as tab, ha.signed_in() as watching:
                await receive(tab)
                await receive(watching)
                await until_present(database, "lan", "online")
                call = {"do": "call", "conversation": str(conversation)}
                await say(tab, **call, id="1", idempotency_key="k1", call="claim")
                assert (await receive(tab))["re"] == "1"
                for number in (2, 3):
                    said = {"text": f"câu {number}"}
                    await say(
                        tab, **call, id=str(number), idempotency_key=f"k{number}", call="say", body=said
                    )
                await say(tab, **call, id="4", idempotency_key="k4", call="appoint", body={"agent": "minh"})
                await say(tab, **call, id="5", idempotency_key="k5", call="dance")
                answers = {one["re"]: one for one in [await receive(tab) for _ in range(4)]}
                assert [answers[one]["status"] for one in "2345"] == [200, 200, 403, 404], answers
                assert answers["4"]["body"]["code"] == "forbidden"
                order = "SELECT body FROM message WHERE sender = 'agent' ORDER BY position"
                assert [row[0] for row in await database.fetch(order)] == ["câu 2", "câu 3"]

                # Who looks and types is told to those who look, and may.
                for each in (tab, watching):
                    await say(each, do="look", conversation=str(conversation))
                    await receive(each)
                assert (await receive(tab))["data"]["agents"] == ["ha", "lan"]
                await say(watching, do="typing", conversation=str(conversation))
                assert await receive(tab) == {
                    "event": "typing",
                    "data": {"conversation": str(conversation), "agent": "ha"},
                }
            await until_present(database, "lan", "offline")


async def test_a_socket_is_refused_or_ended_with_a_reason(
    settings: Settings, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.gateway.token_checks.LOOK_UP_EVERY", 1)
    async with shop(settings) as database:
        limits = {"sockets_per_agent_max": 2, "send_queue_bytes_max": 16_384, "message_bytes_max": 2_048}
        async with gateway(settings, **limits) as http:
            lan, minh = await sign_in(http, "lan"), await sign_in(http, "minh")
            url = f"{str(http.base_url).replace('http', 'ws', 1).rstrip('/')}/api/v1/ws"
            with pytest.raises(InvalidStatus, match="403"):
                async with connect(url, origin="https://evil.example"):  # type: ignore[arg-type]
                    pass
            async with lan.socket() as unsigned:
                await say(unsigned, do="active")
                assert (await closed(unsigned))[0] == 4408
            for token in ("wrong", "no token", "\0", "ự"):
                async with Client(http, token).signed_in() as stranger:
                    assert (await closed(stranger))[0] == 4401
            async with lan.signed_in() as malformed:
                await receive(malformed)
                await malformed.send("{")
                assert (await closed(malformed))[0] == 4400
            async with lan.signed_in() as large:
                await receive(large)
                await large.send("x" * 3_000)
                assert (await closed(large))[0] == 1009
            async with lan.signed_in() as first:
                await receive(first)
                async with lan.signed_in() as second, lan.signed_in():
                    await receive(second)
                    assert (await closed(first))[0] == 4409

            # Who does not read is cut off; the others are not held up.
            async with minh.signed_in() as slow, lan.signed_in() as quick:
                await receive(slow)
                await receive(quick)
                slow.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                slow.transport.pause_reading()
                large_notice = {"workspace": SHOP, "number": 1, "text": "x" * 200_000}
                many = [(MESSAGE, agent_key(SHOP, "minh"), large_notice)] * 40
                await publish(settings, topics["notifications"], [*many, to("lan", 7)])
                assert (await numbers(quick, 1))[0] == [7]
                async with asyncio.timeout(DEADLINE_S):
                    while (
                        'tongdai_gateway_cut_total{code="4429"} 1.0' not in (await http.get("/metrics")).text
                    ):
                        await asyncio.sleep(0.05)
                slow.transport.abort()  # it does not read the close frame either

            # The account is shut: so are its sockets.
            async with lan.signed_in() as tab:
                await receive(tab)
                await accounts.set_active(database, SHOP, "lan", active=False)
                assert (await closed(tab))[0] == 4401
