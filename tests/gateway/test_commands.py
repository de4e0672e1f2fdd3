"""Commands over HTTP, through Kafka to desk and intake and back."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest

from config.settings import Settings
from tests.gateway.ground import (
    DEADLINE_S,
    SHOP,
    Client,
    customer_writes,
    gateway,
    shop,
    sign_in,
)
from tests.waiting import until
from workers.gateway.service_tokens import add_service_token

pytestmark = pytest.mark.servers

OFFERED = "SELECT FROM desk_conversation WHERE conversation_id = $1 AND standing = 'offered'"


async def test_agents_and_admins_act_and_each_is_told_once_what_became_of_it(
    settings: Settings, topics: dict[str, str]
) -> None:
    async with shop(settings) as database:
        conversation = await customer_writes(settings, topics, "u1")
        await until(database, OFFERED, conversation)
        place = f"conversations/{conversation}"
        async with gateway(settings) as http:
            lan, minh, ha, nga = [await sign_in(http, who) for who in ("lan", "minh", "ha", "nga")]

            # Two click at once: one has it, the other learns who.
            keys = {"lan": str(uuid4()), "minh": str(uuid4())}
            first, second = await asyncio.gather(
                lan.ask(f"{place}/claim", key=keys["lan"]), minh.ask(f"{place}/claim", key=keys["minh"])
            )
            assert sorted((first.status_code, second.status_code)) == [200, 409], (first.text, second.text)
            winner, loser, told = ("lan", minh, second) if first.status_code == 200 else ("minh", lan, first)
            problem = told.json()
            assert told.headers["content-type"] == "application/problem+json"
            assert (problem["code"], problem["details"]["winner"]) == ("taken", winner)
            assert problem["details"]["earlier_ms"] >= 0
            holder = lan if winner == "lan" else minh

            # A repetition is told the same; another body under the same key is refused.
            again = await holder.ask(f"{place}/claim", key=keys[winner])
            assert again.json() == (first if winner == "lan" else second).json()
            reused = await holder.ask(f"{place}/release", key=keys[winner])
            assert (reused.status_code, reused.json()["code"]) == (409, "key_reused")

            # Who may not is refused here, and written down.
            for who, call, body in ((nga, "messages", {"text": "hi"}), (loser, "care", {"care": "refused"})):
                refused = await who.ask(f"{place}/{call}", body)
                assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
            assert (await lan.ask("agents/minh/capacity", {"capacity": 3}, method="PUT")).status_code == 403
            unknown = await lan.ask(f"conversations/{uuid4()}/claim")
            assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_conversation")
            await until(database, "SELECT FROM audit WHERE actor = 'agent:shop/nga' AND call = 'say'")

            # What makes no sense is told, whatever it is made of.
            for bad in ({"text": "\x00"}, {"text": "x", "\ud800": 1}, {}, {"text": "x", "attachments": [{}]}):
                raw = orjson.dumps(bad) if "\ud800" not in bad else b'{"text": "x", "\\ud800": 1}'
                named = {"authorization": f"Bearer {holder.token}", "idempotency-key": "bad"}
                answer = await http.post(f"/api/v1/{place}/messages", content=raw, headers=named)
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text
            for login, token in (("\x00", "tds_shop.\x00.x"), ("x" * 300, "é"), ("", "")):
                credentials = {"workspace": "shop", "login": login, "password": "p"}
                assert (await http.post("/api/v1/sign-in", json=credentials)).status_code == 422
                assert (await http.post("/api/v1/refresh", json={"refresh_token": token})).status_code == 422
            assert (await Client(http, "tds_shop.crm.x").get("me")).status_code == 401
            assert (await lan.ask(f"{place}/claim", key="x" * 201)).status_code == 422
            large = await lan.ask(f"{place}/messages", {"text": "x" * 200_000})
            assert (large.status_code, large.json()["code"]) == (413, "too_large")
            assert (await http.get("/api/v1/nowhere")).json()["code"] == "not_found"

            # Intake's actions, and a page admin's call on an agent.
            said = await holder.ask(f"{place}/messages", {"text": "Dạ còn ạ"}, key="say-1")
            assert said.status_code == httpx.codes.OK, said.text
            assert (await holder.get("outcomes/say-1")).json() == said.json()
            assert (await holder.get("outcomes/say-2")).status_code == 404
            limits = {"capacity": 3, "channel_capacity": {"zalo": 2}}
            capacity = await ha.ask("agents/minh/capacity", limits, method="PUT")
            assert (capacity.status_code, capacity.json()["result"]) == (200, {"agent": "minh", **limits})
            # A note's words go to whom it names, so it names nobody who may not see it.
            strange = await holder.ask(f"{place}/notes", {"text": "@", "mentions": ["ha", "nga", "ma"]})
            assert (strange.status_code, strange.json()["details"]["agents"]) == (403, ["nga", "ma"])
            noted = await holder.ask(f"{place}/notes", {"text": "@ha @chu", "mentions": ["ha", "chu"]})
            assert noted.status_code == httpx.codes.OK, noted.text
            await _quick_replies_tickets_and_orders(database, http, holder, place)
            many = await ha.ask("bulk", {"what": "take_over", "conversations": [str(conversation)]})
            assert many.status_code == httpx.codes.OK, many.text
            spam = {"what": "block", "conversations": [str(conversation)], "days": 7, "reason": "spam"}
            assert (await ha.ask("bulk", spam)).json()["result"] == {"done": 1, "refused": []}
            (entry,) = (await ha.get("blacklist?kind=customer")).json()["entries"]
            assert (entry["reason"], entry["by"]) == ("spam", "agent:shop/ha"), entry
            wrong = await ha.ask("bulk", spam | {"reason": "gia-cao"})
            assert (wrong.status_code, wrong.json()["details"]["errors"][0]["at"]) == (422, "reason")

        # The outcome of a command outlives the gateway through which it came.
        async with gateway(settings) as http:
            holder = await sign_in(http, winner)
            repeated = await holder.ask(f"{place}/claim", key=keys[winner])
            assert repeated.json() == again.json()


async def _quick_replies_tickets_and_orders(
    database: asyncpg.Connection[Any], http: httpx.AsyncClient, holder: Client, place: str
) -> None:
    """From a quick reply to a ticket that is closed, and an order of another system."""
    chu = await sign_in(http, "chu")
    crm = Client(http, await add_service_token(database, SHOP, "crm", ["orders"], None))
    fields = {"fields": [{"id": "nguon", "name": "Nguồn", "required": True}]}
    path = "desks/main/ticket-fields"
    assert (await holder.ask(path, fields, method="PUT")).json()["code"] == "forbidden"
    assert (await chu.ask(path.replace("main", "moon"), fields, method="PUT")).json()[
        "code"
    ] == "unknown_desk"
    assert (await chu.ask(path, fields, method="PUT")).status_code == httpx.codes.OK
    assert (await holder.get("ticket-fields")).json()[0]["fields"][0]["id"] == "nguon"

    reply = {"type": "Giá", "body": "Chào {{customerName}}", "ticket": {"fields": {"nguon": "fb"}}}
    assert (await chu.ask("quick-replies/gia", reply, method="PUT")).status_code == httpx.codes.OK
    said = {"conversation": place.partition("/")[2]}
    composed = (await holder.ask("quick-replies/gia/expand", said)).json()
    message = {"text": f"{composed['text']} ơi", "ticket": composed["ticket"]}
    async with asyncio.timeout(DEADLINE_S):  # intake knows of fields within a second
        while (answer := await holder.ask(f"{place}/messages", message)).status_code != httpx.codes.OK:
            assert answer.json()["code"] == "unknown_field", answer.text
    await holder.ask(f"{place}/session-end")
    (ticket,) = (await holder.get(f"{place}/tickets")).json()
    assert (ticket["ticket"], ticket["status"], ticket["fields"]) == (1, "open", {"nguon": "fb"})
    assert (await holder.get("tickets")).json()["tickets"] == [ticket]
    stripped = {"ticket": 1, "status": "closed", "fields": {"nguon": None}}
    refused = await holder.ask(f"{place}/tickets", stripped, method="PUT")
    assert (refused.status_code, refused.json()["code"]) == (409, "field_required")
    closed = await holder.ask(f"{place}/tickets", {"ticket": 1, "status": "closed"}, method="PUT")
    assert closed.json()["result"]["status"] == "closed", closed.text
    made = await holder.ask(f"{place}/tickets", {"subject": "Đổi hàng"})
    assert made.json()["result"]["ticket"] == 2

    order = {"order": "DH-1", "status": "new"}
    assert (await crm.ask(f"{place}/tickets", {})).json()["code"] == "forbidden"
    linked = await crm.ask(f"{place}/orders", order, method="PUT")
    assert linked.json()["result"] == {"orders": {"DH-1": "new"}}, linked.text
    assert (await holder.get(place)).json()["stands"]["orders"] == {"DH-1": "new"}


async def test_what_nobody_decides_in_time_is_to_be_asked_for(
    settings: Settings, topics: dict[str, str]
) -> None:
    async with shop(settings) as database:
        conversation = await customer_writes(settings, topics, "u1")
        await until(database, OFFERED, conversation)
    # Desk and intake are gone.
    async with gateway(settings, outcome_deadline_s=0.3) as http:
        lan = await sign_in(http, "lan")
        taken = await lan.ask(f"conversations/{conversation}/claim", key="later / 1")
        assert taken.status_code == httpx.codes.ACCEPTED
        assert taken.headers["location"] == taken.json()["status_url"] == "/api/v1/outcomes/later%20%2F%201"
        assert (await lan.get("outcomes/later%20%2F%201")).status_code == 404
