"""Webhooks through the gateway: for admins of the workspace alone, each for his own."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx
import pytest

from config.settings import Settings
from tests.gateway.ground import PASSWORD, SHOP, Client, add_people, gateway, sign_in
from tests.gateway.ground import with_gateway as plain
from tests.waiting import until
from tests.webhooks.ground import KEY, connected
from workers.gateway import accounts
from workers.gateway.accounts import Account
from workers.gateway.service_tokens import add_service_token

pytestmark = pytest.mark.servers

HOOK = {"id": "crm", "url": "https://hooks.example.com/tongdai"}
CALLS: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("GET", "webhooks", None),
    ("POST", "webhooks", HOOK),
    ("GET", "webhooks/crm", None),
    ("DELETE", "webhooks/crm", None),
    ("POST", "webhooks/crm/pause", None),
    ("POST", "webhooks/crm/resume", None),
    ("POST", "webhooks/crm/replay", {"from": "beginning"}),
    ("POST", "webhooks/crm/secret", None),
    ("POST", "webhooks/crm/test", None),
    ("GET", "webhooks/crm/attempts", None),
)


async def ask(client: Client, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {client.token}"}
    return await client.http.request(method, f"/api/v1/{path}", headers=headers, json=body)


async def test_admins_manage_their_own_endpoints_and_nobody_else_does(
    settings: Settings, topics: dict[str, str]
) -> None:
    with_key = plain(settings).model_copy(
        update={"webhooks": settings.webhooks.model_validate({"signing_keys": [KEY]})}
    )
    async with connected(settings) as database, gateway(with_key) as http:
        chu = await _people(database, http)
        added = await ask(chu, "POST", "webhooks", {**HOOK, "events": ["assignments", "messages.stored"]})
        assert added.status_code == httpx.codes.CREATED, added.text
        endpoint, secret = added.json()["endpoint"], added.json()["secret"]
        assert secret.startswith("whsec_")
        assert (endpoint["state"], endpoint["positions"], endpoint["created_by"]) == (
            "active",
            {},
            "agent:shop/chu",
        )
        assert (await ask(chu, "GET", "webhooks")).json() == [endpoint]
        stored = str(await database.fetchrow("SELECT * FROM webhook_endpoint"))
        assert secret not in stored
        assert KEY not in stored

        await _wrong(chu)
        await _all_of_it(chu, secret)
        await _strangers(database, http)
        assert (await ask(chu, "DELETE", "webhooks/crm")).status_code == httpx.codes.NO_CONTENT
        assert (await ask(chu, "GET", "webhooks")).json() == []


async def _people(database: asyncpg.Connection[Any], http: httpx.AsyncClient) -> Client:
    await add_people(database)
    return await sign_in(http, "chu")


async def _wrong(chu: Client) -> None:
    """What makes no sense is told."""
    wrong: tuple[tuple[dict[str, Any], int, str], ...] = (
        (HOOK, 409, "webhook_exists"),
        ({**HOOK, "id": "b", "url": "https://10.0.0.1/x"}, 422, "refused_url"),
        ({**HOOK, "id": "b", "url": "http://127.1/x"}, 422, "refused_url"),
        ({**HOOK, "id": "b", "events": ["notifications"]}, 422, "unknown_event"),
        ({**HOOK, "id": "b", "events": []}, 422, "invalid"),
        ({**HOOK, "id": "Not A Slug"}, 422, "invalid"),
        ({**HOOK, "id": "b", "from": "yesterday"}, 422, "invalid"),
        ({**HOOK, "id": "b", "from": {"messages": {"0": 1}}}, 422, "unknown_position"),
        ({**HOOK, "id": "b", "from": {"assignments": {"0": -1}}}, 422, "invalid"),
    )
    for new, status, code in wrong:
        answer = await ask(chu, "POST", "webhooks", new)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    for method, path, body in CALLS[2:]:
        answer = await ask(chu, method, path.replace("crm", "nowhere"), body)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_webhook"), answer.text


async def _all_of_it(chu: Client, secret: str) -> None:
    paused = (await ask(chu, "POST", "webhooks/crm/pause")).json()
    assert (paused["state"], paused["why"]) == ("paused", "by agent:shop/chu")
    assert (await ask(chu, "POST", "webhooks/crm/resume")).json()["state"] == "active"
    replayed = await ask(chu, "POST", "webhooks/crm/replay", {"from": "2026-11-22T08:00:00+07:00"})
    assert replayed.status_code == httpx.codes.OK, replayed.text
    rotated = (await ask(chu, "POST", "webhooks/crm/secret")).json()
    assert rotated["secret"] != secret
    assert (await ask(chu, "GET", "webhooks/crm")).json()["former_secret_until"] == rotated[
        "former_secret_until"
    ]
    assert (await ask(chu, "POST", "webhooks/crm/test")).status_code == httpx.codes.ACCEPTED
    assert (await ask(chu, "GET", "webhooks/crm/attempts?limit=1")).json() == []
    for number in range(19):
        await ask(chu, "POST", "webhooks", {**HOOK, "id": f"more-{number}"})
    refused = await ask(chu, "POST", "webhooks", {**HOOK, "id": "too-many"})
    assert refused.json()["code"] == "too_many_webhooks"
    for number in range(19):
        await ask(chu, "DELETE", f"webhooks/more-{number}")


async def _strangers(database: asyncpg.Connection[Any], http: httpx.AsyncClient) -> None:
    """Agents, page admins and services may nothing of it; another workspace's admin sees none of ours."""
    scopes = ["messages", "customers", "conversations", "roster"]
    service = Client(http, await add_service_token(database, SHOP, "bot", scopes, None))
    for who in (await sign_in(http, "lan"), await sign_in(http, "ha"), service):
        for method, path, body in CALLS:
            answer = await ask(who, method, path, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)
    refused = "SELECT FROM audit WHERE call = 'manage_webhooks' AND actor = $1 AND subject = 'crm'"
    await until(database, refused, "agent:shop/lan")
    await accounts.add_account(database, "other", Account("boss", "admin", "boss", active=True), PASSWORD)
    said = {"workspace": "other", "login": "boss", "password": PASSWORD}
    boss = Client(http, (await http.post("/api/v1/sign-in", json=said)).json()["access_token"])
    assert (await ask(boss, "GET", "webhooks")).json() == []
    for method, path, body in CALLS[2:]:
        assert (await ask(boss, method, path, body)).status_code == httpx.codes.NOT_FOUND, (method, path)
    assert (await ask(boss, "POST", "webhooks", HOOK)).status_code == httpx.codes.CREATED  # a name of his own


async def test_without_a_signing_key_nothing_is_added(settings: Settings, topics: dict[str, str]) -> None:
    production = plain(settings).model_copy(update={"profile": "production"})
    async with connected(settings) as database, gateway(production) as http:
        chu = await _people(database, http)
        answer = await ask(chu, "POST", "webhooks", HOOK)
        assert (answer.status_code, answer.json()["code"]) == (503, "webhooks_off")
        plainly = await ask(chu, "POST", "webhooks", {**HOOK, "url": "http://hooks.example.com/"})
        assert plainly.json()["code"] == "refused_url"
