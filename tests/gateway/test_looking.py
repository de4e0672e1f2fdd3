"""Who looks and who types: told at every gateway, bounded, and over when nothing more is heard of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection

from config.settings import Settings
from tests.gateway.ground import customer_writes, gateway, shop, sign_in
from tests.gateway.test_sockets import receive, say
from tests.waiting import until
from workers.channels.broadcast import PAYLOAD_BYTES_MAX
from workers.channels.glance import Glance, pack, unpack
from workers.gateway.connection import Connection
from workers.gateway.identity import Identity
from workers.gateway.looking import ELSEWHERE_MAX, LASTS_S, LOOKED_AT_MAX, REPEAT_TICKS, Looking

CONVERSATION = UUID(int=1)
PLACE = ("shop", CONVERSATION)
glances = st.builds(
    Glance,
    st.tuples(st.text(st.characters(codec="ascii"), max_size=60), st.uuids()),
    st.lists(st.text("abc-", max_size=60), max_size=50).map(tuple),
    st.booleans(),
)


@given(st.lists(glances, max_size=200))
def test_what_is_told_between_gateways_is_heard_whole_in_small_parts(said: list[Glance]) -> None:
    texts = list(pack("g1", said))
    assert all(len(text.encode()) <= PAYLOAD_BYTES_MAX for text in texts)
    heard = [unpack(text) for text in texts]
    assert all(who == "g1" for who, _ in heard)
    assert [one for _, part in heard for one in part] == said


@given(
    st.one_of(st.text(), st.sampled_from(["[]", '["g",[1]]', '["g",[["s","x",[],0]]]', '["g",null]', "{}"]))
)
def test_what_is_none_of_ours_is_told(text: str) -> None:
    try:
        _, heard = unpack(text)
    except ValueError:
        return
    assert heard == []


def tab(agent: str) -> Connection:
    return Connection(Identity("shop", "agent", agent), "", None, 1_000_000, lambda _: None)


async def said(connection: Connection) -> list[dict[str, Any]]:
    """What he has been told."""
    found = []
    while connection.waiting_bytes:
        found.append(orjson.loads(await connection.next() or ""))
    return found


async def looking_at(connection: Connection) -> Sequence[str]:
    """Who looks, as he was told last."""
    agents: list[str] = [one["data"]["agents"] for one in await said(connection)][-1]
    return agents


async def test_what_another_gateway_says_holds_for_a_while_and_is_told_here() -> None:
    told: list[Glance] = []
    looking, lan = Looking(told.append), tab("lan")
    looking.look(lan, CONVERSATION)
    assert told == [Glance(PLACE, ("lan",))]
    looking.hear("g2", Glance(PLACE, ("ha",)), 0)
    looking.hear("g3", Glance(PLACE, ("ha", "minh")), 30)
    assert await looking_at(lan) == ["ha", "lan", "minh"]
    looking.hear("g2", Glance(PLACE, ("ha",)), 40)
    assert await said(lan) == []
    looking.tick(0, 30 + LASTS_S)
    assert await looking_at(lan) == ["ha", "lan"]
    looking.hear("g2", Glance(PLACE, ()), 91)
    assert await looking_at(lan) == ["lan"]
    told.clear()
    for number in range(REPEAT_TICKS):
        looking.tick(number, 92)
    assert told == [Glance(PLACE, ("lan",))]
    looking.leave(lan)
    assert told[1:] == [Glance(PLACE, ())]
    assert not looking.conversations


async def test_who_types_is_told_to_the_others_and_not_too_often() -> None:
    told: list[Glance] = []
    looking, lan, other_tab, minh = Looking(told.append), tab("lan"), tab("lan"), tab("minh")
    for each in (lan, other_tab, minh):
        looking.look(each, CONVERSATION)
    for each in (lan, other_tab, minh):
        await said(each)
    told.clear()
    for now_s in (10.0, 10.5, 11.9, 12.0):
        looking.type_in(lan, CONVERSATION, now_s)
    assert told == [Glance(PLACE, ("lan",), types=True)] * 2
    typing = {"event": "typing", "data": {"conversation": str(CONVERSATION), "agent": "lan"}}
    assert await said(minh) == [typing] * 2
    assert await said(other_tab) == []
    looking.hear("g2", Glance(PLACE, ("lan",), types=True), 13)
    assert await said(minh) == [typing]
    looking.type_in(tab("nga"), CONVERSATION, 14)
    assert await said(minh) == []


def test_nothing_grows_without_bounds() -> None:
    looking, lan = Looking(lambda _: None), tab("lan")
    for number in range(LOOKED_AT_MAX + 5):
        looking.look(lan, UUID(int=number))
    assert looking.conversations == {UUID(int=number) for number in range(5, LOOKED_AT_MAX + 5)}
    for number in range(ELSEWHERE_MAX + 10):
        looking.hear("g2", Glance(("shop", UUID(int=number)), ("ha",)), 0)
    assert len(looking._elsewhere) == ELSEWHERE_MAX


async def until_looking(socket: ClientConnection, agents: list[str]) -> None:
    """Wait until he is told that these look; what he is told meanwhile is passed over."""
    while (await receive(socket)).get("data", {}).get("agents") != agents:
        pass


@pytest.mark.servers
async def test_those_who_look_are_told_of_each_other_through_two_gateways(
    settings: Settings, topics: dict[str, str]
) -> None:
    async with shop(settings) as database, gateway(settings) as one, gateway(settings) as other:
        conversation = str(await customer_writes(settings, topics, "u1"))
        await until(database, "SELECT FROM desk_conversation WHERE standing = 'offered'")
        lan, ha, nga = await sign_in(one, "lan"), await sign_in(other, "ha"), await sign_in(other, "nga")
        async with lan.signed_in() as tab_, nga.signed_in() as outsider:
            await say(tab_, do="look", conversation=conversation)
            await until_looking(tab_, ["lan"])
            async with ha.signed_in() as admin:
                await say(admin, do="look", conversation=conversation)
                await until_looking(tab_, ["ha", "lan"])
                # What lan's gateway has said before comes again after a while; or he looks anew.
                await say(tab_, do="look", conversation=conversation, off=True)
                await until_looking(admin, ["ha"])
                await say(tab_, do="look", conversation=conversation)
                await until_looking(admin, ["ha", "lan"])
                await say(admin, do="typing", conversation=conversation)
                while (told := await receive(tab_))["event"] != "typing":
                    pass
                assert told["data"] == {"conversation": conversation, "agent": "ha"}
            await until_looking(tab_, ["lan"])
            # Postgres ends the connection on which gateways talk: they make another.
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
            await database.execute(f"{ended}", "tongdai gateway glances")
            async with ha.signed_in() as admin:
                await say(admin, do="look", conversation=conversation)
                await until_looking(admin, ["ha", "lan"])
            # Who may not see it is told so, and of nobody who looks.
            await receive(outsider)
            await say(outsider, do="look", conversation=conversation)
            told = await receive(outsider)
            assert (told["event"], told["data"]["status"], told["data"]["code"]) == (
                "refused",
                403,
                "forbidden",
            )
            await say(outsider, do="look", conversation=str(uuid4()))
            assert (await receive(outsider))["data"]["status"] == 404
            await until(database, "SELECT FROM audit WHERE actor = 'agent:shop/nga' AND call = 'see'")
