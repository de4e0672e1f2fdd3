"""Who is kept out: addresses, which get no window, and customers, of whom no agent hears."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from config.settings import Settings
from schemas.ids import conversation_id, conversation_key
from tests.channels.conftest import running, until_ready
from tests.gateway.ground import Client, gateway, sign_in
from tests.gateway.test_sockets import say
from tests.waiting import until
from tests.website.ground import KEY, PAGE, SITE, Visitor, opening, site, visiting, with_site
from workers.channels.website.connection import BLOCKED
from workers.channels.website.tokens import VisitorTokens

pytestmark = pytest.mark.servers

NETWORK = "2001:db8:5::/64"
HIS, BESIDE, ELSEWHERE = "2001:db8:5::1", "2001:db8:5:0:ffff::2", "198.51.100.7"


def conversation_of(visitor: Visitor) -> UUID:
    user = VisitorTokens([KEY], 1).read(SITE, visitor.token) or ""
    return conversation_id(conversation_key("web", SITE, user))


async def test_who_is_kept_out(settings: Settings, topics: dict[str, str]) -> None:
    del topics
    settings = with_site(settings)
    async with site(settings) as (ingress, database), gateway(settings) as http:
        lan, minh, ha = [await sign_in(http, who) for who in ("lan", "minh", "ha")]
        tabs = visiting(ingress, HIS), visiting(ingress, BESIDE), visiting(ingress, ELSEWHERE)
        async with tabs[0] as an, tabs[1] as binh, tabs[2] as chi:
            for each in (an, binh, chi):
                await each.say("Chào shop")
                held = "SELECT FROM desk_conversation WHERE holder = 'lan' AND conversation_id = $1"
                await until(database, held, conversation_of(each))
                seen = "SELECT FROM visitor_address WHERE conversation_id = $1"
                await until(database, seen, conversation_of(each))
            await _an_address_is_blocked(an, binh, lan, minh)
            await _whoever_comes_later_is_not_let_in(settings, ingress)
            await _a_customer_is_blocked(database, lan, chi)
            await _the_blacklist_is_for_admins_of_the_page(ha, lan, chi)
            await _who_was_let_in_comes_again(ingress, lan, ha, an)
        noted = await database.fetch("SELECT call, subject FROM audit WHERE code = 'done' ORDER BY audit_id")
        assert [row["call"] for row in noted] == [*["block_address"] * 3, *["unblock_address"] * 2]
        assert all(UUID(row["subject"]) for row in noted)  # no addresses: it is kept for longer


async def _an_address_is_blocked(an: Visitor, binh: Visitor, lan: Client, minh: Client) -> None:
    """Both of its visitors are closed, and it was told before that they are two."""
    path = f"conversations/{conversation_of(an)}/address"
    assert (await minh.get(path)).status_code == 403
    assert (await minh.ask(f"{path}-block", method="PUT")).status_code == 403
    found = (await lan.get(path)).json()
    assert [found[name] for name in ("address", "visitors", "entry")] == [NETWORK, 2, None]
    wrong = await lan.ask(f"{path}-block", {"days": 8}, method="PUT")
    assert wrong.status_code == 422
    answer = await lan.ask(f"{path}-block", {"days": 7, "reason": "abuse"}, method="PUT")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["visitors"], told["entry"]["address"], told["entry"]["by"]) == (2, NETWORK, "agent:shop/lan")
    for each in (an, binh):
        assert await each.closed() == BLOCKED.code
    assert (await lan.get(path)).json()["entry"]["id"] == told["entry"]["id"]


async def _whoever_comes_later_is_not_let_in(settings: Settings, ingress: httpx.AsyncClient) -> None:
    """Not by an ingress that has just begun, either. Nobody but a proxy is believed who says where it is."""
    assert await _closed_at_once(ingress, HIS) == BLOCKED.code
    async with running(settings) as again:
        await until_ready(again)
        assert await _closed_at_once(again, "2001:db8:5::abcd") == BLOCKED.code
    own = settings.ingress.model_dump() | {"proxies": "10.0.0.0/8"}
    unproxied = Settings.model_validate(settings.model_dump(exclude={"ingress"}) | {"ingress": own})
    async with running(unproxied) as open_:
        await until_ready(open_)
        async with visiting(open_, HIS) as somebody:
            assert somebody.started


async def _closed_at_once(ingress: httpx.AsyncClient, address: str) -> int | None:
    """With what code; an ingress that does not know the blacklist yet says to come again."""
    while True:
        async with opening(ingress, address=address) as socket:
            code = await Visitor(socket).closed()
        if code != 1013:
            return code


async def _a_customer_is_blocked(database: asyncpg.Connection[Any], lan: Client, chi: Visitor) -> None:
    """He writes on, and no agent hears of him until he is let in; then it is as before."""
    id_ = conversation_of(chi)
    async with lan.signed_in() as desk:
        await say(desk, do="look", conversation=str(id_))
        await _heard(desk, '"online":true')
        loads = (await lan.get("agents")).json()
        blocked = await lan.ask(f"conversations/{id_}/block", {"days": 30, "reason": "spam"})
        assert blocked.status_code == 200, blocked.text
        await _heard(desk, '"online":false')
        await chi.do("typing")
        await chi.say("quảng cáo")
        await until(database, "SELECT FROM message WHERE body = 'quảng cáo' AND blocked")
        assert _load(loads) - _load((await lan.get("agents")).json()) == 1
        assert (await lan.ask(f"conversations/{id_}/unblock")).status_code == 200
        await chi.until("unseen")
        heard = await _heard(desk, '"online":true')
        await chi.say("Xin lỗi shop")
        heard += await _heard(desk, '"Xin lỗi shop"')
        assert "quảng cáo" not in heard
        assert "visitor_typing" not in heard
    assert _load((await lan.get("agents")).json()) == _load(loads)
    lines = (await lan.get(f"conversations/{id_}/messages")).json()["lines"]
    marked = {line["text"]: line["blocked"] for line in lines if line["sender"] == "customer"}
    assert marked == {"Chào shop": False, "quảng cáo": True, "Xin lỗi shop": False}
    await until(database, "SELECT FROM notice WHERE conversation_id = $1 AND kind = 'message'", id_)
    notices = await database.fetchval(
        "SELECT count(*) FROM notice WHERE conversation_id = $1 AND kind = 'message'", id_
    )
    unread = await database.fetchval("SELECT unread FROM inbox WHERE conversation_id = $1", id_)
    assert (notices, unread) == (1, 2)


async def _the_blacklist_is_for_admins_of_the_page(ha: Client, lan: Client, chi: Visitor) -> None:
    """Both kinds, the newest first, by page, by what is searched for; and addresses by hand."""
    assert (await lan.get("blacklist")).status_code == 403
    assert (await lan.ask("blacklist/addresses", {"page": PAGE, "address": "203.0.113.7"})).status_code == 403
    assert (
        await ha.ask(f"conversations/{conversation_of(chi)}/block", {"reason": "spam"})
    ).status_code == 200
    for address in ("203.0.0.0/8", "::ffff:203.0.113.0/120", "shop"):
        refused = await ha.ask("blacklist/addresses", {"page": PAGE, "address": address})
        assert refused.status_code == 422, address
    refused = await ha.ask("blacklist/addresses", {"page": "messenger:1", "address": "203.0.113.7"})
    assert refused.status_code == 422
    refused = await ha.ask("blacklist/addresses", {"page": "messenger:2", "address": "203.0.113.7"})
    assert refused.status_code == 403
    for days in (7, None):  # again: from now
        added = await ha.ask("blacklist/addresses", {"page": PAGE, "address": "203.0.113.7", "days": days})
        assert added.status_code == 200, added.text
    listed = (await ha.get("blacklist")).json()
    assert [(one["kind"], one["address"]) for one in listed["entries"]] == [
        ("address", "203.0.113.7/32"),
        ("customer", None),
        ("address", NETWORK),
    ]
    assert [one["until"] is None for one in listed["entries"]] == [True, True, False]
    assert listed["entries"][1]["by"] == "agent:shop/ha"
    pages = []
    after: str | None = ""
    while after is not None:
        part = (await ha.get(f"blacklist?limit=1{after and f'&after={after}'}")).json()
        pages += part["entries"]
        after = part["next"]
    assert pages == listed["entries"]
    for q, kinds in (("2001:db8:5::9", ["address"]), ("203.0.113.0/24", ["address"]), ("ai-do", [])):
        found = (await ha.get(f"blacklist?q={quote(q)}")).json()["entries"]
        assert [one["kind"] for one in found] == kinds, q
    found = (await ha.get(f"blacklist?kind=customer&page={PAGE}")).json()["entries"]
    assert [one["conversation"] for one in found] == [str(conversation_of(chi))]


async def _who_was_let_in_comes_again(
    ingress: httpx.AsyncClient, lan: Client, ha: Client, an: Visitor
) -> None:
    """By hand from the conversation or the blacklist; what was done is in the audit, without addresses."""
    path = f"conversations/{conversation_of(an)}/address-block"
    assert (await lan.ask(path, method="DELETE")).status_code == 204
    assert (await lan.ask(path, method="DELETE")).status_code == 404
    by_hand = (await ha.get("blacklist?kind=address")).json()["entries"]
    assert len(by_hand) == 1
    for status in (204, 404):
        gone = await ha.ask(f"blacklist/addresses/{by_hand[0]['id']}", method="DELETE")
        assert gone.status_code == status
    async with asyncio.timeout(90):
        while not await _is_let_in(ingress, an.token):
            pass


async def _is_let_in(ingress: httpx.AsyncClient, token: str) -> bool:
    """Whether he is, or closed instead."""
    async with opening(ingress, address=HIS) as socket:
        try:
            await Visitor(socket).do("start", token=token)
            return bool(orjson.loads(await socket.recv())["event"] == "started")
        except ConnectionClosed:
            return False


async def _heard(socket: ClientConnection, part: str) -> str:
    """All that is told until something has this in it, joined."""
    heard = ""
    async with asyncio.timeout(90):
        while part not in heard:
            heard += str(await socket.recv())
    return heard


def _load(agents: Any) -> int:  # noqa: ANN401 - JSON
    return next(int(one["load"]) for one in agents if one["agent"]["id"] == "lan")
