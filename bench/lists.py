"""How long agents wait for their lists: `python -m bench.lists DSN --conversations 200000`.

Fills an empty database (migrated here) with one workspace of 20 pages and 200 agents, then asks what a
console asks and prints each answer's times. The server makes the rows itself, which is quicker than COPY.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg

from schemas.definitions import Agent, Page, Rule
from workers.gateway.identity import Identity
from workers.gateway.queries import counts, followed, lists
from workers.gateway.queries.filters import Asked, Filters
from workers.gateway.queries.pool import SERVER_SETTINGS
from workers.gateway.queries.queries import FIRST
from workers.gateway.queries.scope import scope_of
from workers.gateway.roster import Rosters
from workers.migrations import migrate

PAGES, AGENTS = 20, 200
NOW = datetime(2026, 11, 22, tzinfo=UTC)

# One in 50 is held by nobody, half of these are offered; the newest are of the last minutes.
FILL = """
CREATE TEMP TABLE made AS
SELECT n, gen_random_uuid() AS id, 'zalo:' || n % {pages} AS page, n % 50 = 7 AS free, n % 100 = 7 AS offered,
    'agent-' || (n * 7919) % {agents} AS agent,
    timestamptz '{now}' - sqrt(n) * n * interval '12 milliseconds' AS at,
    (ARRAY['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Hoàng', 'Võ'])[1 + n % 6] || ' '
        || (ARRAY['Thị', 'Văn', 'Đức', 'Ngọc'])[1 + n % 4] || ' ' || md5((n % 5000)::text) AS name
FROM generate_series(1, {count}) AS n;
ALTER TABLE made ADD holder text GENERATED ALWAYS AS (CASE WHEN NOT free THEN agent END) STORED,
    ADD standing text GENERATED ALWAYS AS (
        CASE WHEN offered THEN 'offered' WHEN free THEN 'idle' ELSE 'held' END) STORED,
    ADD care text GENERATED ALWAYS AS (CASE WHEN free THEN 'waiting' WHEN n % 1999 = 0 THEN 'pending_close'
        WHEN n < 5000 THEN 'accepted' ELSE 'done' END) STORED,
    ADD tags text[] GENERATED ALWAYS AS (CASE WHEN n % 997 = 0 THEN ARRAY['vip']
        WHEN n % 3 = 0 THEN ARRAY['mua'] ELSE ARRAY[]::text[] END) STORED;
INSERT INTO customer (workspace_id, customer_id, page_id, user_id, channel_name, created_at, tags, phone)
SELECT 'shop', id, page, n, name, at, tags, '09' || lpad(n::text, 8, '0') FROM made;
INSERT INTO conversation (workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch,
    standing, holder, route_unanswered, session, session_open, session_customer_messages,
    session_agent_messages, last_at)
SELECT 'shop', id, 'main', n % 12, page || ':' || n, page, 3, 2, 1, standing, holder, false, 1,
    n < 5000, 3, 0, at
FROM made;
INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq, last_event_id,
    epoch, round, care, standing, holder, session, session_open, after_position, audience, queued_at,
    queued_offset,
    followers)
SELECT 'shop', id, 'main', page || ':' || n, page, 2, id, 1, 1, care, standing, holder, 1, n < 5000, 3,
    CASE WHEN offered THEN 'rule:all/0' END, CASE WHEN offered THEN at END, CASE WHEN offered THEN n END,
    ARRAY[agent]
FROM made;
INSERT INTO inbox (workspace_id, agent_id, conversation_id, page_id, holds, epoch, unread, last_position,
    updated_at, follows)
SELECT 'shop', agent, id, page, NOT free, 1, (n % 90 = 1)::int, 3, at, true FROM made;
INSERT INTO inbox_counter
SELECT 'shop', place, page, n % 12, count(*), 0
FROM made CROSS JOIN LATERAL unnest(
    CASE WHEN free THEN ARRAY['unheld', CASE WHEN offered THEN 'rule:all/0' END]
    ELSE ARRAY['held', 'agent:' || agent] END) AS place
WHERE place IS NOT NULL GROUP BY place, page, n % 12;
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body,
    page_id, clock_ahead, stored_at, seq)
SELECT 'shop', id, p, gen_random_uuid(), 1, 'customer', 'text',
    'Chào shop, còn áo số ' || n % 1000 || ' không ạ?', page, false, at - (3 - p) * interval '1 minute', 2
FROM made CROSS JOIN generate_series(1, 3) AS p;
DROP TABLE made;
"""
AGENT = "INSERT INTO desk_agent VALUES ('shop', 'main', $1, $2, 1, true)"
PAGE = "INSERT INTO desk_page VALUES ('shop', 'main', $1, $2, 1, true)"
RULE = "INSERT INTO desk_rule VALUES ('shop', 'main', 'all', $1, 1, true, 0, '{}')"


async def fill(connection: asyncpg.Connection, count: int) -> None:
    """Make the tables of a shop that is as large."""
    everybody = tuple(f"agent-{number}" for number in range(AGENTS))
    names = tuple(f"zalo:{number}" for number in range(PAGES))
    for agent in everybody:
        await connection.execute(AGENT, agent, Agent(id=agent, name=agent).model_dump_json())
    for number, name in enumerate(names):
        page = Page(id=name, name=name, admins=("agent-0" if number < PAGES // 2 else "agent-1",))
        await connection.execute(PAGE, name, page.model_dump_json())
    rule = Rule(id="all", name="all", owner="agent-0", pages=names, agents=everybody, method="self_claim")
    await connection.execute(RULE, rule.model_dump_json())
    await connection.execute(FILL.format(pages=PAGES, agents=AGENTS, now=NOW.isoformat(), count=count))
    await connection.execute("VACUUM ANALYZE")


async def measure(pool: asyncpg.Pool, rounds: int) -> None:
    """Ask for everything, over and over."""
    roster = await Rosters(pool).of("shop")
    people = {
        "agent": Identity("shop", "agent", "agent-7"),
        "page admin": Identity("shop", "page_admin", "agent-0"),
        "admin": Identity("shop", "admin", "agent-1"),
    }
    asked: dict[str, Filters] = {
        "all": Filters(),
        **{name: Filters(bucket=name) for name in ("unclaimed", "mine", "watching", "assigned")},
        "rare care": Filters(care=("pending_close",)),
        "common care": Filters(care=("done",)),
        "rare tag": Filters(tag=("vip",)),
        "common tag": Filters(tag=("mua",)),
        "unread": Filters(unread=True),
        "holder": Filters(holder="agent-9"),
        "rare name": Filters(q="8f14e45fceea"),
        "common name": Filters(q="nguyen"),
        "phone": Filters(q="0000123"),
        "time": Filters(since=NOW - timedelta(days=9), until=NOW - timedelta(days=7)),
        "message text": Filters(text="áo số 77"),
    }
    for who, identity in people.items():
        scope = scope_of(identity, roster)
        for name, filters in asked.items():
            page = Asked.model_validate(filters.model_dump())
            await _time(pool, rounds, f"{who}: {name}", partial(lists.read_list, scope=scope, asked=page))
            await _time(
                pool, rounds, f"{who}: {name}, count", partial(lists.count, scope=scope, filters=filters)
            )
        await _time(pool, rounds, f"{who}: counts", partial(counts.read_counts, scope=scope, roster=roster))
        mine = partial(followed.read_followed, scope=scope, after=FIRST, limit=50, unread=False)
        await _time(pool, rounds, f"{who}: my users", mine)


async def _time(
    pool: asyncpg.Pool, rounds: int, name: str, ask: Callable[[asyncpg.Connection], Awaitable[object]]
) -> None:
    taken_ms = []
    async with pool.acquire() as connection:
        for _ in range(rounds):
            begun = time.perf_counter()
            try:
                await ask(connection)
            except asyncpg.QueryCanceledError:
                print(f"{name:40} too slow")
                return
            taken_ms.append((time.perf_counter() - begun) * 1000)
    print(f"{name:40} p50 {statistics.median(taken_ms):7.1f} ms   max {max(taken_ms):7.1f} ms")


async def main() -> None:
    """Fill, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dsn")
    parser.add_argument("--conversations", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    await asyncio.to_thread(migrate, given.dsn)
    connection = await asyncpg.connect(given.dsn)
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM conversation)"):
        begun = time.perf_counter()
        await fill(connection, given.conversations)
        print(f"filled in {time.perf_counter() - begun:.0f} s")
    await connection.close()
    async with asyncpg.create_pool(
        given.dsn, min_size=1, max_size=2, server_settings=SERVER_SETTINGS
    ) as pool:
        await measure(pool, given.rounds)


if __name__ == "__main__":
    asyncio.run(main())
