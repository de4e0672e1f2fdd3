"""The tables of two shops with the same names, filled at random, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from schemas.definitions import Agent, Department, Page, Rule, Team
from schemas.ids import conversation_id
from workers.notifier.places import counted
from workers.runtime.handler import Connection

BEGAN = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
SHOPS = ("shop", "rival")
PAGES = {"messenger:1": "main", "zalo:2": "main", "zalo:3": "second"}
ADMINS = {"messenger:1": "ha", "zalo:2": "chu", "zalo:3": "xa"}
AGENTS = {"lan": "main", "minh": "main", "ha": "main", "chu": "main", "nga": "main", "xa": "second"}
AUDIENCES = ("rule:first/0", "rule:first/1", "rule:second/0", "page", "admins")
NAMES = ("Nguyễn Thị Hoa", "Trần Văn Đức", "Lê Ánh", "Phạm Đức Hòa", "o'Brien")
TEXTS = ("Chào shop ạ", "Còn áo khoác đỏ không?", "Bao giờ giao hàng", "Cảm ơn")
TAGS = ("vip", "hỏi giá", "khiếu nại")


NOTED = ("conversation_id", "seq", "epoch", "standing", "holder")
COUNT = """
INSERT INTO inbox_counter VALUES ($1, $2, $3, $4, 1, $5)
ON CONFLICT (workspace_id, place, page_id, lane) DO UPDATE SET
    conversations = inbox_counter.conversations + 1, unread = inbox_counter.unread + excluded.unread
"""


class Told(NamedTuple):
    """What a test knows of a conversation."""

    shop: str
    id: UUID
    page: str
    desk: str
    holder: str | None
    audience: str | None
    care: str
    last_at: datetime
    name: str
    phone: str | None
    tags: tuple[str, ...]
    text: str
    unread: int
    """Of its holder; of nobody's, of its last session."""
    followers: tuple[str, ...]


def told(shop: str, number: int, random: Random) -> Told:
    """A conversation, whatever comes."""
    page = random.choice(sorted(PAGES))
    holder, audience = None, None
    match random.choice(("held", "held", "offered", "queued", "idle")):
        case "held":
            holder = random.choice(sorted(AGENTS))
        case "offered":
            name = random.choice(AUDIENCES)
            audience = name if name.startswith("rule") else f"{name}:{page}"
    held = ("accepted", "accepted", "pending_close", "done")
    return Told(
        shop,
        conversation_id(f"{page}:{shop}-{number}"),
        page,
        PAGES[page],
        holder,
        audience,
        random.choice(held) if holder else random.choice(("new", "waiting")),
        # Several of one minute, and of one moment.
        BEGAN + timedelta(seconds=random.randrange(2_000) // 7 * 7),
        random.choice(NAMES),
        random.choice((None, f"+84 90{number:07}")),
        tuple(sorted(random.sample(TAGS, random.choice((0, 0, 1, 2))))),
        random.choice(TEXTS),
        random.choice((0, 0, 3)),
        tuple(sorted({random.choice(sorted(AGENTS)), *([holder] if holder else [])})),
    )


async def fill_roster(connection: Connection) -> None:
    """Both shops have the same people, pages and rules."""
    first = {"name": "Luật một", "owner": "ha", "method": "self_claim"}
    rules = (
        Rule(
            id="first",
            pages=("messenger:1",),
            agents=("lan",),
            departments=("ban",),
            **first,
            next_rings=(Team(agents=("nga",)),),
        ),
        Rule(id="second", name="second", owner="chu", channels=("zalo",), agents=("nga", "minh")),
    )
    department = Department(id="ban", name="Bán hàng", agents=("minh",))
    for shop in SHOPS:
        for agent, desk in AGENTS.items():
            text = Agent(id=agent, name=agent.capitalize()).model_dump_json()
            await connection.execute(
                "INSERT INTO desk_agent VALUES ($1, $2, $3, $4, 1, true)", shop, desk, agent, text
            )
        text = department.model_dump_json()
        await connection.execute(
            "INSERT INTO desk_department VALUES ($1, 'main', 'ban', $2, 1, true)", shop, text
        )
        for page, desk in PAGES.items():
            text = Page(id=page, name=f"Trang {page}", admins=(ADMINS[page],)).model_dump_json()
            await connection.execute(
                "INSERT INTO desk_page VALUES ($1, $2, $3, $4, 1, true)", shop, desk, page, text
            )
        for place, rule in enumerate(rules):
            await connection.execute(
                "INSERT INTO desk_rule VALUES ($1, 'main', $2, $3, 1, true, $4, '{}')",
                shop,
                rule.id,
                rule.model_dump_json(),
                place,
            )
        # Another desk's rule of the same name.
        other = rules[1].model_copy(update={"id": "first", "agents": ("xa",)})
        await connection.execute(
            "INSERT INTO desk_rule VALUES ($1, 'second', 'first', $2, 1, true, 0, '{}')",
            shop,
            other.model_dump_json(),
        )


async def fill(connection: Connection, all_told: Sequence[Told]) -> None:
    """The rows that intake, desk and notifier would have written."""
    async with connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")
        await fill_roster(connection)
        for number, one in enumerate(all_told):
            await _fill_intake(connection, one, number)
            await _fill_desk(connection, one)
            await _fill_notifier(connection, one)


async def insert(connection: Connection, table: str, **values: object) -> None:
    """One row."""
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})"
    await connection.execute(statement, *values.values())


async def _fill_intake(connection: Connection, one: Told, number: int) -> None:
    place = {"workspace_id": one.shop, "page_id": one.page}
    await insert(
        connection,
        "customer",
        **place,
        customer_id=one.id,
        user_id=str(number),
        channel_name=one.name,
        created_at=one.last_at,
        phone=one.phone,
        tags=list(one.tags),
    )
    await insert(
        connection,
        "conversation",
        **place,
        **_stands(one),
        lane=number % 4,
        position=2,
        route_unanswered=False,
        session_customer_messages=1,
        session_agent_messages=0,
        last_at=one.last_at,
        answered_at=one.last_at - timedelta(hours=1),
    )
    await insert(
        connection,
        "message",
        **place,
        conversation_id=one.id,
        position=1,
        message_id=one.id,
        session=1,
        sender="customer",
        kind="text",
        body=one.text,
        clock_ahead=False,
        stored_at=one.last_at,
        seq=1,
    )


def _stands(one: Told) -> dict[str, object]:
    """What intake and desk both know."""
    return {
        "conversation_id": one.id,
        "desk_id": one.desk,
        "key": f"{one.page}:{one.shop}-{one.id}",
        "seq": 1,
        "epoch": 1,
        "standing": "held" if one.holder else "offered" if one.audience else "idle",
        "holder": one.holder,
        "session": 1,
        "session_open": True,
    }


async def _fill_desk(connection: Connection, one: Told) -> None:
    await insert(
        connection,
        "desk_conversation",
        workspace_id=one.shop,
        page_id=one.page,
        **_stands(one),
        last_event_id=one.id,
        round=1,
        care=one.care,
        after_position=1,
        audience=one.audience,
        queued_at=one.last_at if one.audience else None,
        queued_offset=1 if one.audience else None,
        followers=list(one.followers),
    )


async def _fill_notifier(connection: Connection, one: Told) -> None:
    for agent in one.followers:
        await insert(
            connection,
            "inbox",
            workspace_id=one.shop,
            agent_id=agent,
            conversation_id=one.id,
            page_id=one.page,
            holds=agent == one.holder,
            epoch=1,
            unread=one.unread if agent == one.holder else 0,
            last_position=1,
            updated_at=one.last_at,
            follows=True,
        )
    await insert(
        connection,
        "notifier_conversation",
        workspace_id=one.shop,
        page_id=one.page,
        lane=one.id.int % 3,
        position=1,
        last_at=one.last_at,
        care=one.care,
        audience=one.audience,
        followers=list(one.followers),
        in_session=one.unread,
        **{name: value for name, value in _stands(one).items() if name in NOTED},
    )
    places = counted(one.holder, one.audience, one.unread)
    for place in places.places:
        await connection.execute(COUNT, one.shop, place, one.page, one.id.int % 3, places.unread)
