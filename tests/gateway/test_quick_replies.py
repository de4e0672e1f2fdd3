"""Quick replies: variables are a closed list of names, and expanding sends nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.definitions import Agent, Department, Page
from workers.gateway.app import api
from workers.gateway.asking import identify
from workers.gateway.audit import Audit
from workers.gateway.identity import Identity, Role
from workers.gateway.metrics import GatewayMetrics
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.queries import Queries
from workers.gateway.quick_replies.quick_reply import BODY_CHARS_MAX, QUICK_REPLIES_MAX, QuickReplyBody
from workers.gateway.quick_replies.variables import VARIABLES, VARIABLES_MAX, Known, fill, mistakes
from workers.gateway.roster import Rosters

DEADLINE_S = 90.0
LAN = Known(
    page="messenger:1",
    page_name="Hoa Sen Sài Gòn",
    agent_name="Minh",
    name="Chị Lan",
    channel_name="Lan Nguyen",
    phone="0912345678",
    email="lan@example.com",
    address="1 Lê Lợi",
    birthday=date(1994, 5, 7),
)
NOBODY = Known(page="web:1", page_name="", agent_name="")


def test_each_variable_says_what_is_known() -> None:
    text = "|".join(f"{{{{{name}}}}}" for name in VARIABLES)
    known = "Chị Lan|Lan Nguyen||0912345678|lan@example.com|1 Lê Lợi|07/05/1994|Minh|Hoa Sen Sài Gòn"
    assert fill(text, LAN) == (known, ("zalo",))
    assert fill(text, NOBODY) == ("|" * (len(VARIABLES) - 1), tuple(VARIABLES))


def test_the_name_on_the_channel_stands_in_and_counts_on_its_own_channel_alone() -> None:
    on_zalo = LAN._replace(page="zalo:1", name=None)
    assert fill("{{customerName}},{{facebook}},{{ zalo }}", on_zalo).text == "Lan Nguyen,,Lan Nguyen"


@given(st.text().filter(lambda text: "{{" not in text and "}}" not in text))
def test_a_text_without_variables_stays_as_it_is(text: str) -> None:
    assert not list(mistakes(text))
    assert fill(text, LAN) == (text, ())


@given(st.sampled_from([*VARIABLES, "x"]), st.text(alphabet="{}customerNae $\\1", max_size=40))
def test_what_a_customer_calls_himself_is_never_read_as_a_variable(name: str, value: str) -> None:
    filled = fill(f"[{{{{customerName}}}}] {{{{{name}}}}}", LAN._replace(name=value or "An", phone=value))
    assert filled.text.startswith(f"[{value or 'An'}] ")


@given(st.lists(st.sampled_from(["{{pageName}}", "{{", "{", "}", " ", "agentName"]), max_size=8).map("".join))
def test_whatever_is_saved_has_no_braces_left_when_all_is_filled_in(text: str) -> None:
    if not list(mistakes(text)):
        assert "{{" not in fill(text, LAN).text
        assert "}}" not in fill(text, LAN).text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{customername}}", "no variable: known are customerName"),
        ("{{}}", "no variable"),
        ("{{customerName.__class__}}", "no variable"),
        ("{{customerName", "double braces"),
        ("}}{{customerName}}", "double braces"),
        ("{{pageName}}" * (VARIABLES_MAX + 1), "at most 20"),
        ("x" * (BODY_CHARS_MAX + 1), "at most 8000"),
        ("a\0", "pattern"),
        (" ", "a body or an attachment"),
    ],
)
def test_what_cannot_be_filled_in_is_refused_when_it_is_saved(body: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        QuickReplyBody(type="chào", body=body)


# Through the gateway ---------------------------------------------------------------------------------------

HELLO: dict[str, Any] = {
    "type": "Chào hỏi",
    "description": "Khi khách mới nhắn",
    "body": "Chào {{customerName}}, {{agentName}} của {{pageName}} nghe ạ. {{sdtKhachHang}}",
    "attachments": [{"type": "image", "url": "https://cdn.example.com/bang-gia.png"}],
    "ticket": {"subject": "Hỏi giá", "fields": {"nguon": "facebook", "ghi-chu": None}},
}
ROLES: dict[str, Role] = {"chu": "admin", "ha": "page_admin", "crm": "service"}
CALLS = (
    ("GET", ""),
    ("GET", "/chao"),
    ("PUT", "/chao"),
    ("DELETE", "/chao"),
    ("POST", "/chao/expand"),
)


class Shop:
    """A gateway that asks nobody for a password."""

    def __init__(self, pool: asyncpg.Pool, reading: asyncpg.Pool) -> None:
        rosters, audit = Rosters(pool), Audit(pool, GatewayMetrics())
        self.conversation = uuid4()
        self._app = api()
        self._app.state.gateway = SimpleNamespace(
            queries=Queries(reading, rosters, audit), audit=audit, rosters=rosters, connection=pool.acquire
        )
        transport = httpx.ASGITransport(self._app)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1")

    async def ask(
        self, who: str, method: str, path: str, body: object = None, scopes: str = "", shop: str = "shop"
    ) -> httpx.Response:
        role = ROLES.get(who, "agent")
        is_person = role != "service"
        identity = Identity(shop, role, who if is_person else None, who, frozenset(scopes.split()))
        self._app.dependency_overrides[identify] = lambda: identity
        return await self._http.request(method, f"/quick-replies{path}", json=body)

    async def put(self, id_: str, **said: object) -> httpx.Response:
        return await self.ask("chu", "PUT", f"/{id_}", {**HELLO, **said})

    async def seen(self, who: str, scopes: str = "") -> list[str]:
        """The ids of those that he may use, two at a time."""
        found: list[str] = []
        after = ""
        while True:
            answer = (await self.ask(who, "GET", f"?limit=2{after}", scopes=scopes)).json()
            found += [one["id"] for one in answer["quick_replies"]]
            if answer["next"] is None:
                return found
            after = f"&after={answer['next']}"

    async def expanded(self, who: str, id_: str, conversation: UUID | None = None) -> httpx.Response:
        said = {"conversation": str(conversation or self.conversation)}
        return await self.ask(who, "POST", f"/{id_}/expand", said)


@asynccontextmanager
async def _shop(database: str) -> AsyncIterator[tuple[Shop, asyncpg.Connection[Any]]]:
    async with (
        # The test has one of them, and the gateway the other: none needs two.
        asyncpg.create_pool(database, min_size=2, max_size=2) as pool,
        asyncpg.create_pool(database, min_size=1, max_size=2, server_settings=SERVER_SETTINGS) as reading,
    ):
        shop = Shop(pool, reading)
        async with pool.acquire() as connection:
            await _fill(connection, shop.conversation)
            yield shop, connection


async def _fill(connection: asyncpg.Connection[Any], conversation: UUID) -> None:
    for agent in ("lan", "minh", "ha", "chu"):
        said = Agent(id=agent, name=agent.title()).model_dump_json()
        await connection.execute(
            "INSERT INTO desk_agent VALUES ('shop', 'main', $1, $2, 1, true)", agent, said
        )
    sales = Department(id="ban-hang", name="Bán hàng", agents=("lan",)).model_dump_json()
    await connection.execute(
        "INSERT INTO desk_department VALUES ('shop', 'main', 'ban-hang', $1, 1, true)", sales
    )
    page = Page(id="messenger:1", name="Hoa Sen", admins=("ha",)).model_dump_json()
    await connection.execute(
        "INSERT INTO desk_page VALUES ('shop', 'main', 'messenger:1', $1, 1, true)", page
    )
    await connection.execute(
        """
        INSERT INTO customer (workspace_id, customer_id, page_id, user_id, channel_name, created_at, phone)
        VALUES ('shop', $1, 'messenger:1', 'u', 'An', now(), '0912345678')
        """,
        conversation,
    )
    await connection.execute(
        """
        INSERT INTO conversation VALUES ('shop', $1, 'main', 0, 'messenger:1:u', 'messenger:1', 1, 1, 1,
            'held', 'lan', false, 1, true, 1, 0, now());
        """,
        conversation,
    )
    await connection.execute(
        """
        INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq,
            last_event_id, epoch, round, care, standing, holder, session, session_open, after_position)
        VALUES ('shop', $1, 'main', 'messenger:1:u', 'messenger:1', 1, $1, 1, 1, 'accepted', 'held',
            'lan', 1, true, 1)
        """,
        conversation,
    )


@pytest.mark.servers
async def test_admins_write_them_and_agents_use_those_that_are_for_them(database: str) -> None:
    async with asyncio.timeout(DEADLINE_S), _shop(database) as (shop, connection):
        written = await shop.put("chao")
        assert written.status_code == httpx.codes.OK, written.text
        assert (written.json()["id"], written.json()["changed_by"]) == ("chao", "agent:shop/chu")
        sales = {"id": "ban-hang", "desk": "main"}
        for id_ in ("a-ban-hang", "z-ban-hang"):
            await shop.put(id_, department=sales, body="Dạ", ticket=None)
        assert (await shop.ask("lan", "GET", "/z-ban-hang")).json()["department"] == sales

        all_of_them = ["a-ban-hang", "chao", "z-ban-hang"]
        assert await shop.seen("lan") == await shop.seen("chu") == all_of_them
        assert await shop.seen("crm", "messages") == all_of_them
        assert await shop.seen("minh") == await shop.seen("ha") == ["chao"]
        refused = await shop.expanded("minh", "a-ban-hang")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

        expanded = (await shop.expanded("lan", "chao")).json()
        assert expanded == {
            "text": "Chào An, Lan của Hoa Sen nghe ạ. 0912345678",
            "empty": [],
            "attachments": [
                {**HELLO["attachments"][0], **dict.fromkeys(("name", "latitude", "longitude", "file"))}
            ],
            "ticket": HELLO["ticket"],
        }
        # He may use it, but not see this conversation; and there is none of another id.
        assert (await shop.expanded("minh", "chao")).json()["code"] == "forbidden"
        assert (await shop.expanded("lan", "chao", uuid4())).json()["code"] == "unknown_conversation"

        assert (await shop.put("chao", body="Xin chào", ticket=None)).json()["body"] == "Xin chào"
        assert (await shop.expanded("lan", "chao")).json()["text"] == "Xin chào"
        assert (await shop.ask("chu", "DELETE", "/chao")).status_code == httpx.codes.NO_CONTENT
        assert (await shop.ask("chu", "DELETE", "/chao")).json()["code"] == "unknown_quick_reply"
        assert await shop.seen("minh") == []
        await _limits(shop, connection)
        await _strangers(shop)


async def _limits(shop: Shop, connection: asyncpg.Connection[Any]) -> None:
    wrong: tuple[tuple[dict[str, object], str], ...] = (
        ({"body": "{{password}}"}, "invalid"),
        ({"department": {"id": "nowhere"}}, "unknown_department"),
        ({"ticket": {"subject": "a\nb"}}, "invalid"),
        ({"colour": "red"}, "invalid"),
    )
    for said, code in wrong:
        answer = await shop.put("wrong", **said)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    await connection.execute(
        """
        INSERT INTO quick_reply SELECT 'shop', 'r' || n, 'x', '', 'x', '[]', NULL, NULL, NULL, 'x'
        FROM generate_series(1, $1 - 2) AS n
        """,
        QUICK_REPLIES_MAX,
    )
    assert (await shop.put("one-more")).json()["code"] == "too_many_quick_replies"
    assert (await shop.put("r1", body="đổi")).json()["body"] == "đổi"


async def _strangers(shop: Shop) -> None:
    """Agents and page admins write nothing, services without the scope and other shops see nothing."""
    for method, path in CALLS[2:4]:
        for who in ("lan", "ha", "crm"):
            answer = await shop.ask(who, method, path.replace("chao", "r1"), HELLO, scopes="messages")
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (who, method)
    for method, path in CALLS:
        body = {"conversation": str(shop.conversation)} if path.endswith("expand") else HELLO
        answer = await shop.ask("crm", method, path.replace("chao", "r1"), body, scopes="customers roster")
        assert answer.status_code == httpx.codes.FORBIDDEN, (method, path)
    assert (await shop.ask("chu", "GET", "", shop="rival")).json()["quick_replies"] == []
    assert (await shop.ask("chu", "GET", "/r1", shop="rival")).json()["code"] == "unknown_quick_reply"


def test_the_page_names_every_variable_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tickets.md").read_text(encoding="utf-8")
    table = page.partition("<!-- variables -->")[2].partition("<!-- /variables -->")[0]
    assert re.findall(r"\{\{(\w+)\}\}", table) == list(VARIABLES)
