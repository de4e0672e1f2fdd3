"""Lists of tickets: all that is theirs to see, in order, found by index however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import product
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from bench.plans import Watched, explain
from schemas.definitions import Policy
from schemas.tickets import TicketField
from tests.gateway.shop_tables import ADMINS, AGENTS, PAGES, fill_roster
from workers.gateway.app import api
from workers.gateway.asking import identify
from workers.gateway.audit import Audit
from workers.gateway.identity import Identity, Role
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.queries import tickets
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.queries import Queries, View
from workers.gateway.queries.scope import scope_of
from workers.gateway.queries.tickets import TicketsAsked
from workers.gateway.roster import Roster, Rosters

pytestmark = pytest.mark.servers

ROLES: dict[str, Role] = {"ha": "page_admin", "xa": "page_admin", "chu": "admin"}
COUNT = 4_500
"""Of each shop."""
# Several of one moment; one in three of a draft's has no agent. lan has the most.
FILL = """
INSERT INTO ticket
SELECT shop, md5(shop || n / 3)::uuid, n % 3 + 1, md5(shop || '/' || n)::uuid,
    ($1::text[])[1 + n / 3 % 7 % 3], 1, n, (ARRAY['draft', 'open', 'pending', 'closed', 'open'])[1 + n % 5],
    'việc ' || n, '{"gap": true}', CASE WHEN n % 15 <> 0 THEN CASE WHEN n % 2 = 0 THEN 'lan'
        ELSE ($2::text[])[1 + n % 6] END END, now(),
    timestamptz '2026-11-01' + n % 5000 * interval '7 seconds'
FROM unnest(ARRAY['shop', 'rival']) AS shop CROSS JOIN generate_series(0, $3 - 1) AS n
"""

ROWS = """
SELECT t.*, d.followers FROM ticket t JOIN desk_conversation d USING (workspace_id, conversation_id)
WHERE workspace_id = 'shop'
"""
# Of every fourth conversation nobody's reading goes on; of every fifth minh's does.
CONVERSATIONS = """
WITH told AS (
    SELECT shop, md5(shop || c)::uuid AS id, ($1::text[])[1 + c % 7 % 3] AS page, c
    FROM unnest(ARRAY['shop', 'rival']) AS shop CROSS JOIN generate_series(0, $3 / 3) AS c
), desks AS (
    INSERT INTO desk_conversation (
        workspace_id, page_id, conversation_id, desk_id, key, seq, epoch, standing, session, session_open,
        last_event_id, round, care, after_position, followers)
    SELECT shop, page, id, 'main', page || ':' || c, 1, 1, 'idle', 1, false, id, 1, 'waiting', 1,
        CASE WHEN c % 4 = 0 THEN '{}' WHEN c % 5 = 0 THEN '{minh}' ELSE $2::text[] END
    FROM told
)
INSERT INTO conversation
SELECT shop, id, 'main', 0, page || ':' || c, page, 1, 1, 1, 'idle', NULL, false, 1, true, 1, 0, now()
FROM told
"""


def identity_of(who: str) -> Identity:
    if who == "crm":
        return Identity("shop", "service", None, who, frozenset({"customers"}))
    return Identity("shop", ROLES.get(who, "agent"), who, who)


class Asking:
    """Clients of a gateway that asks nobody for a password."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        audit = Audit(pool, GatewayMetrics())
        self._app = api()
        self._app.state.gateway = SimpleNamespace(queries=Queries(pool, Rosters(pool), audit), audit=audit)
        transport = httpx.ASGITransport(self._app)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1")

    async def get(self, who: str, path: str, **asked: str | int) -> httpx.Response:
        self._app.dependency_overrides[identify] = lambda: identity_of(who)
        return await self._http.get(path, params=asked)

    async def whole(self, who: str, **asked: str) -> list[tuple[str, int]]:
        """All pages of a list: each ticket by conversation and number."""
        found: list[tuple[str, int]] = []
        after: dict[str, str] = {}
        while True:
            answer = await self.get(who, "tickets", limit=100, **asked, **after)
            assert answer.status_code == httpx.codes.OK, answer.text
            page = answer.json()
            found += [(one["conversation"], one["ticket"]) for one in page["tickets"]]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}


@asynccontextmanager
async def _shop(database: str) -> AsyncIterator[tuple[Asking, asyncpg.Connection[Any]]]:
    connection = await asyncpg.connect(database)
    await fill_roster(connection)
    for statement in (FILL, CONVERSATIONS):
        await connection.execute(statement, sorted(PAGES), sorted(AGENTS), COUNT)
    await connection.execute("VACUUM ANALYZE ticket, conversation, desk_conversation")
    async with asyncpg.create_pool(database, min_size=1, max_size=2, server_settings=SERVER_SETTINGS) as pool:
        yield Asking(pool), connection
    await connection.close()


def wanted(rows: list[Any], who: str, asked: dict[str, str]) -> list[tuple[str, int]]:
    """What he should see, written anew: his own that he follows, and all on his pages, an admin's are all."""
    pages = {page for page, admin in ADMINS.items() if who in (admin, "chu") and who in ROLES}
    seen = [
        row
        for row in rows
        if row["status"] == asked.get("status", "open")
        and (row["page_id"] in pages or (row["agent_id"] == who and who in row["followers"]))
        and asked.get("page", row["page_id"]) == row["page_id"]
        and asked.get("agent", row["agent_id"]) == row["agent_id"]
    ]
    seen.sort(key=lambda row: (row["changed_at"], row["ticket_id"].int), reverse=True)
    return [(str(row["conversation_id"]), row["number"]) for row in seen]


def questions() -> Iterator[tuple[str, dict[str, str]]]:
    narrowed: tuple[dict[str, str], ...] = (
        {},
        {"status": "draft"},
        {"page": "messenger:1"},
        {"agent": "lan"},
        {"agent": "lan", "page": "zalo:3", "status": "closed"},
        {"agent": "nga", "status": "pending"},
    )
    yield from product(("lan", "ha", "chu", "xa", "crm"), narrowed)


async def test_everybody_sees_his_own_and_those_of_his_pages(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _shop(database) as (asking, connection):
        rows = await connection.fetch(ROWS)
        for who, asked in questions():
            found = await asking.whole(who, **asked)
            assert found == wanted(rows, who, asked), (who, asked)
        assert await asking.whole("chu")
        assert await asking.whole("lan", page="zalo:3")
        # Of an admin of more pages than are looked at one by one, in parts that end early.
        monkeypatch.setattr(tickets, "MERGED_MAX", 0)
        for status in ("open", "draft"):
            asked = {"status": status}
            assert await asking.whole("xa", **asked) == wanted(rows, "xa", asked)
        await _one_conversation(asking, connection)
        await _wrong(asking)
        monkeypatch.undo()
        await _plans(database, monkeypatch)


async def _one_conversation(asking: Asking, connection: asyncpg.Connection[Any]) -> None:
    """Seen by who may see the conversation."""
    id_ = await connection.fetchval("SELECT md5('shop' || 0)::uuid")
    place = f"conversations/{id_}/tickets"
    unknown = f"conversations/{UUID(int=1)}/tickets"
    assert (await asking.get("lan", unknown)).json()["code"] == "unknown_conversation"
    assert (await asking.get("lan", place)).json()["code"] == "forbidden"
    assert [one["ticket"] for one in (await asking.get("ha", place)).json()] == [3, 2, 1]
    (second,) = (await asking.get("ha", place, before=3, limit=1)).json()
    assert (second["ticket"], second["subject"], second["fields"]) == (2, "việc 1", {"gap": True})
    field = TicketField(id="gap", name="Gấp", type="yes_no")
    for desk in PAGES.values():
        await connection.execute(
            "INSERT INTO desk_policy VALUES ('shop', $1, $2, 1) ON CONFLICT DO NOTHING",
            *(desk, Policy(ticket_fields=(field,)).model_dump_json()),
        )
    assert [one["desk"] for one in (await asking.get("lan", "ticket-fields")).json()] == ["main"]
    fields = (await asking.get("chu", "ticket-fields")).json()
    assert [TicketField(**one["fields"][0]) for one in fields] == [field, field]


async def _wrong(asking: Asking) -> None:
    for asked in ({"status": "lost"}, {"after": "x"}, {"limit": 0}, {"colour": "red"}):
        assert (await asking.get("lan", "tickets", **asked)).json()["code"] == "invalid"


async def _plans(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No list reads more than it may, and each by its index."""
    wanted_of = {
        ("lan", None, None): {"ticket_of_agent"},
        ("ha", "messenger:1", None): {"ticket_of_page"},
        ("chu", None, None): {"ticket_of_page", "ticket_of_agent"},
        ("chu", None, "lan"): {"ticket_of_agent"},
        ("xa", "messenger:1", None): {"ticket_of_agent"},
    }
    async with asyncpg.create_pool(database, min_size=1, max_size=1, server_settings=SERVER_SETTINGS) as pool:
        roster = await Rosters(pool).of("shop")
        async with pool.acquire() as connection:
            for (who, page, agent), indexes in wanted_of.items():
                work = await _work(connection, who, roster, page, agent)
                assert not work.scanned & {"ticket"}, who
                assert work.indexes >= indexes, (who, work.indexes)
                assert work.rows_read <= 2 * tickets.WALKED + 200, (who, work)
            monkeypatch.setattr(tickets, "MERGED_MAX", 0)
            work = await _work(connection, "xa", roster, None, None)
            assert work.indexes >= {"ticket_of_workspace"}
            assert work.rows_read <= 2 * tickets.WALKED + 200, work


async def _work(
    connection: asyncpg.Connection[Any], who: str, roster: Roster, page: str | None, agent: str | None
) -> Any:  # noqa: ANN401
    watched: Any = Watched(connection)
    identity = identity_of(who)
    view = View(watched, scope_of(identity, roster), roster, identity)
    await tickets.read_tickets(view, TicketsAsked(page=page, agent=agent))
    return await explain(connection, watched.statements)
