"""Older messages through the gateway: who has them fetched, how they are read; a person on two pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from schemas.ids import conversation_id
from tests.gateway.shop_tables import Told, fill
from workers.gateway.app import api
from workers.gateway.asking import identify
from workers.gateway.audit import Audit
from workers.gateway.identity import Identity, Role
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.queries import Queries
from workers.gateway.roster import Rosters

ROLES: dict[str, Role] = {"chu": "admin", "ha": "page_admin", "minh": "page_admin", "crm": "service"}
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
LINE = """
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body,
    page_id, clock_ahead, history, sent_at, stored_at, seq)
VALUES ('shop', $1, $2, $3, 0, $4, 'text', $5, 'messenger:1', false, $6, $7, $8, 1)
"""


class Shop:
    """A gateway that asks nobody for a password."""

    def __init__(self, pool: asyncpg.Pool, reading: asyncpg.Pool) -> None:
        rosters, self.audit = Rosters(pool), Audit(pool, GatewayMetrics())
        self._app = api()
        self._app.state.gateway = SimpleNamespace(
            queries=Queries(reading, rosters, self.audit),
            audit=self.audit,
            connection=pool.acquire,
            files=None,
        )
        transport = httpx.ASGITransport(self._app)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1")

    async def ask(self, who: str, method: str, path: str, **query: str) -> tuple[int, Any]:
        """What somebody is answered."""
        role = ROLES.get(who, "agent")
        scopes = frozenset(("conversations",)) if role == "service" else frozenset()
        identity = Identity("shop", role, who if role != "service" else None, who, scopes)
        self._app.dependency_overrides[identify] = lambda: identity
        answer = await self._http.request(method, path, params=query)
        return answer.status_code, answer.json()


def told(page: str, user: str, holder: str | None, *followers: str) -> Told:
    """A conversation."""
    return Told(
        shop="shop",
        id=conversation_id(f"{page}:{user}"),
        page=page,
        desk="main",
        holder=holder,
        audience=None,
        care="accepted" if holder else "waiting",
        last_at=NOW,
        name=f"Lan trên {page}",
        phone=None,
        tags=(),
        text="Chào shop ạ",
        unread=0,
        followers=followers,
    )


@asynccontextmanager
async def shop(database: str, *every: Told) -> AsyncIterator[tuple[Shop, asyncpg.Connection]]:
    async with (
        asyncpg.create_pool(database, min_size=1, max_size=3) as pool,
        asyncpg.create_pool(database, min_size=1, max_size=2, server_settings=SERVER_SETTINGS) as reading,
        pool.acquire() as connection,
    ):
        await fill(connection, every)
        yield Shop(pool, reading), connection


@pytest.mark.servers
async def test_older_messages_are_fetched_for_who_may_and_read_in_their_own_order(database: str) -> None:
    mine, hers = told("messenger:1", "u1", "lan"), told("zalo:2", "u2", None)
    async with shop(database, mine, hers) as (gateway, tables):
        await _say(tables, mine.id)
        path = f"/conversations/{mine.id}/history-fetch"
        assert (await gateway.ask("lan", "GET", path))[0] == httpx.codes.NOT_FOUND
        for who, expected in (
            ("lan", 202),
            ("ha", 202),
            ("crm", 202),
            ("chu", 202),
            ("minh", 403),
            ("nga", 403),
        ):
            status, said = await gateway.ask(who, "POST", path)
            assert status == expected, (who, said)
        status, said = await gateway.ask("ha", "GET", path)
        assert (said["state"], said["found"], said["asked_by"]) == ("waiting", 0, "agent:shop/lan"), "once"
        assert (said["page"], said["user"]) == ("messenger:1", f"shop-{mine.id}")
        page = "/pages/messenger:1/history-fetch"
        for who, expected in (("lan", 403), ("minh", 403), ("ha", 202), ("crm", 202)):
            assert (await gateway.ask(who, "POST", page))[0] == expected, who
        assert (await gateway.ask("chu", "POST", "/pages/messenger:77/history-fetch"))[0] == 404
        _, fetches = await gateway.ask("ha", "GET", f"{page}es")
        assert [(one["user"], one["state"]) for one in fetches][-1:] == [(f"shop-{mine.id}", "waiting")]
        assert {one["user"] for one in fetches} == {None, f"shop-{mine.id}"}
        await tables.execute(
            "UPDATE delivery_errand SET found = 7, left_out = 2, place = '{\"since_ms\": 1}'"
        )
        _, said = await gateway.ask("ha", "DELETE", page)
        assert (said["state"], said["found"], said["left_out"]) == ("stopped", 7, 2), "what was read stays"
        _, said = await gateway.ask("ha", "POST", page)
        assert (said["state"], said["found"], said["left_out"]) == ("waiting", 0, 0), (
            "asked for anew it begins from the start"
        )
        # The transcript has what was heard here, the history what was said before, each in its own order.
        _, lines = await gateway.ask("lan", "GET", f"/conversations/{mine.id}/messages")
        assert [line["text"] for line in lines["lines"]] == ["Chào shop ạ"]
        history = f"/conversations/{mine.id}/history"
        read: list[str] = []
        before: dict[str, str] = {}
        while True:
            _, said = await gateway.ask("lan", "GET", history, limit="2", **before)
            read = [line["text"] for line in said["lines"]] + read
            if said["next"] is None:
                break
            before = {"before": said["next"]}
        assert read == ["một", "hai", "ba", "bốn", "năm"]
        _, said = await gateway.ask("lan", "GET", history)
        assert [line["at"] for line in said["lines"]] == sorted(line["at"] for line in said["lines"])
        assert [line["sender"] for line in said["lines"]] == ["customer", "agent"] * 2 + ["customer"]
        assert (await gateway.ask("nga", "GET", history))[0] == httpx.codes.FORBIDDEN
        assert (await gateway.ask("lan", "GET", history, before="nonsense"))[0] == 422
        far = await gateway.ask("lan", "GET", history, before="999999999999999999-1")
        assert len(far[1]["lines"]) == 5


@pytest.mark.servers
async def test_the_same_verified_number_on_another_page_is_a_hint_to_who_may_see_both(database: str) -> None:
    mine, also = told("messenger:1", "u1", "lan"), told("zalo:2", "u2", None, "lan")
    hers, unverified = told("zalo:3", "u3", "xa"), told("zalo:2", "u4", None, "lan")
    async with shop(database, mine, also, hers, unverified) as (gateway, tables):
        verify = "UPDATE customer SET verified_phone = '0912345678' WHERE customer_id = ANY ($1::uuid[])"
        await tables.execute(verify, [mine.id, also.id, hers.id])
        await tables.execute("UPDATE customer SET phone = '0912345678'")

        async def hinted(who: str) -> set[str]:
            status, said = await gateway.ask(who, "GET", f"/conversations/{mine.id}")
            assert status == httpx.codes.OK, said
            assert said["profile"]["verified_phone"] == "0912345678"
            return {one["conversation"] for one in said["profile"]["elsewhere"]}

        assert await hinted("lan") == {str(also.id)}
        assert await hinted("ha") == set()
        assert await hinted("chu") == {str(also.id), str(hers.id)}


async def _say(tables: asyncpg.Connection, conversation: UUID) -> None:
    """Five older messages, fetched in an order of their own."""
    said = {"năm": 5, "ba": 3, "bốn": 4, "hai": 2, "một": 1}
    for position, (text, hour) in enumerate(said.items(), start=2):
        sender = "customer" if hour % 2 else "agent"
        sent_at = NOW - timedelta(days=30, hours=-hour)
        fields = conversation, position, uuid4(), sender, text, True, sent_at, NOW
        await tables.execute(LINE, *fields)
