"""A shop of any size in Postgres: the rows that intake, desk and notifier would have written.

The server makes them itself, which is quicker than COPY. Two years of conversations, the newest close
together; 200 pages of three channels, a few with most of the customers; 400 agents, one of whom has had every
twentieth conversation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from schemas.definitions import Agent, Page, Rule

WORKSPACE = "shop"
PAGES, AGENTS = 200, 400
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LINES = 2
"""Messages of each conversation."""
CHANNELS = ("messenger", "zalo", "fchat")

# One in 50 is held by nobody, one in 20 of these is offered.
MADE = """
CREATE TEMP TABLE made AS
SELECT n, gen_random_uuid() AS id, 'main' AS desk, n % 12 AS lane, page, page || ':' || n AS key,
    CASE WHEN free THEN NULL ELSE agent END AS holder, agent,
    CASE WHEN offered THEN 'rule:all/0' END AS audience,
    CASE WHEN offered THEN 'offered' WHEN free THEN 'idle' ELSE 'held' END AS standing,
    CASE WHEN n % 100 = 57 THEN 'new' WHEN free THEN 'waiting' WHEN n % 1999 = 0 THEN 'pending_close'
        WHEN n % 40 = 3 THEN 'closed_won' WHEN n < {count} / 100 THEN 'accepted' ELSE 'done' END AS care,
    n < {count} / 100 AS is_open, (n % 90 = 1)::int AS unread,
    timestamptz '{now}' - (n::float / {count}) ^ 1.5 * interval '700 days' AS at,
    CASE WHEN n % 997 = 0 THEN ARRAY['vip'] WHEN n % 100 = 5 THEN ARRAY['khiếu nại', 'mua']
        WHEN n % 3 = 0 THEN ARRAY['mua'] ELSE '{{}}' END AS tags,
    CASE WHEN n % 50 = 3 THEN ARRAY['khách sỉ'] ELSE '{{}}' END AS groups,
    (ARRAY['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Hoàng', 'Võ'])[1 + n % 6] || ' '
        || (ARRAY['Thị', 'Văn', 'Đức', 'Ngọc'])[1 + n % 4] || ' ' || left(md5((n % 50000)::text), 8) AS name
FROM generate_series(1, {count}) AS n CROSS JOIN LATERAL (
    SELECT floor({pages} * ((n % 1009 * 7919 % 1009) / 1009.0) ^ 2)::int AS number, n % 50 = 7 AS free,
        n % 1000 = 7 AS offered,
        CASE WHEN n % 20 = 8 THEN 'agent-8' ELSE 'agent-' || n % {agents} END AS agent
) AS drawn CROSS JOIN LATERAL (
    SELECT (ARRAY['messenger', 'zalo', 'fchat'])[1 + number % 3] || ':' || number AS page
) AS named;
ANALYZE made;
"""
ROWS = """
INSERT INTO customer (workspace_id, customer_id, page_id, user_id, channel_name, created_at, tags, groups,
    phone)
SELECT 'shop', id, page, n, name, at, tags, groups, '09' || lpad(n::text, 8, '0') FROM made;
INSERT INTO conversation (workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch,
    standing, holder, route_unanswered, session, session_open, session_customer_messages,
    session_agent_messages, last_at, answered_at)
SELECT 'shop', id, desk, lane, key, page, {lines}, 2, 1, standing, holder, false, 1, is_open, 2, 2,
    at - interval '1 minute', at
FROM made;
INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq, last_event_id,
    epoch, round, care, standing, holder, session, session_open, after_position, audience, queued_at,
    queued_offset, followers)
SELECT 'shop', id, desk, key, page, 2, id, 1, 1, care, standing, holder, 1, is_open, 1, audience,
    CASE WHEN audience IS NOT NULL THEN at END, CASE WHEN audience IS NOT NULL THEN n END, ARRAY[agent]
FROM made;
INSERT INTO notifier_conversation (workspace_id, conversation_id, seq, epoch, holder, position, page_id,
    lane, standing, care, audience, followers, session, in_session, last_at)
SELECT 'shop', id, 2, 1, holder, {lines}, page, lane, standing, care, audience, ARRAY[agent], 1, 2, at
FROM made;
INSERT INTO inbox (workspace_id, agent_id, conversation_id, page_id, holds, epoch, unread, last_position,
    updated_at, follows)
SELECT 'shop', agent, id, page, holder IS NOT NULL, 1, unread, {lines}, at - interval '1 minute', true
FROM made;
INSERT INTO inbox_counter
SELECT 'shop', place, page, lane, count(*), sum(unread)
FROM made CROSS JOIN LATERAL unnest(
    CASE WHEN holder IS NULL THEN ARRAY['unheld', audience] ELSE ARRAY['held', 'agent:' || holder] END
) AS place
WHERE place IS NOT NULL GROUP BY place, page, lane;
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body,
    page_id, clock_ahead, stored_at, seq)
SELECT 'shop', id, p, gen_random_uuid(), 1, CASE WHEN p % 2 = 0 THEN 'agent' ELSE 'customer' END, 'text',
    CASE p WHEN 1 THEN 'Chào shop, còn ' || thing || ' số ' || n % 1000 || ' không, đơn DH' || n || ' ạ?'
        ELSE 'Dạ bên em còn ' || thing || ' màu ' || colour || ', chị lấy mấy cái ạ?' END,
    page, false, at - ({lines} - p) * interval '1 minute', 2
FROM made CROSS JOIN LATERAL (
    SELECT (ARRAY['áo khoác', 'quần bò', 'giày thể thao', 'túi xách', 'mũ len', 'váy hoa', 'áo dài', 'tất'])
        [1 + n * 7 % 8] AS thing, (ARRAY['đỏ', 'xanh lá', 'trắng', 'đen', 'be'])[1 + n * 3 % 5] AS colour
) AS said CROSS JOIN generate_series(1, {lines}) AS p;
DROP TABLE made;
"""
AGENT = "INSERT INTO desk_agent VALUES ('shop', 'main', $1, $2, 1, true)"
PAGE = "INSERT INTO desk_page VALUES ('shop', 'main', $1, $2, 1, true)"
RULE = "INSERT INTO desk_rule VALUES ('shop', 'main', 'all', $1, 1, true, 0, '{}')"

SESSION = """
SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; SET default_statistics_target = 20
"""
# Indexes other than of keys: they are made at the end, which is quicker.
INDEXES = """
SELECT i.indexrelid::regclass::text AS name,
    replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS made_by
FROM pg_index i
WHERE NOT i.indisunique AND i.indrelid = ANY ($1::text[]::regclass[])
"""
TABLES = ("customer", "conversation", "desk_conversation", "notifier_conversation", "inbox", "message")


async def fill(connection: Any, count: int) -> None:  # noqa: ANN401  an asyncpg connection
    """Make the tables of a shop with `count` conversations, in an empty database that has all migrations."""
    await _fill_roster(connection)
    await connection.execute(SESSION)
    await connection.execute(
        "SELECT ensure_message_partitions($1::timestamptz - interval '24 months', 24)", NOW
    )
    given = {"count": count, "now": NOW.isoformat(), "pages": PAGES, "agents": AGENTS, "lines": LINES}
    async with without_indexes(connection, TABLES):
        await connection.execute(MADE.format(**given))
        await connection.execute(ROWS.format(**given))
    await connection.execute("VACUUM ANALYZE")


@asynccontextmanager
async def without_indexes(connection: Any, tables: Sequence[str]) -> AsyncIterator[None]:  # noqa: ANN401  as above
    """Make the indexes of `tables` at the end, those of keys excepted."""
    indexes = await connection.fetch(INDEXES, tables)
    await connection.execute("".join(f"DROP INDEX {one['name']};" for one in indexes))
    yield
    for one in indexes:
        await connection.execute(one["made_by"])


async def _fill_roster(connection: Any) -> None:  # noqa: ANN401  an asyncpg connection
    everybody = tuple(f"agent-{number}" for number in range(AGENTS))
    names = tuple(f"{CHANNELS[number % len(CHANNELS)]}:{number}" for number in range(PAGES))
    for agent in everybody:
        await connection.execute(AGENT, agent, Agent(id=agent, name=agent).model_dump_json())
    for number, name in enumerate(names):
        page = Page(id=name, name=name, admins=(_admin(number),))
        await connection.execute(PAGE, name, page.model_dump_json())
    rule = Rule(id="all", name="all", owner="agent-0", pages=names, agents=everybody, method="self_claim")
    await connection.execute(RULE, rule.model_dump_json())


def _admin(page: int) -> str:
    """Every twentieth page is the first agent's, and every third other one the second's."""
    return "agent-0" if page % 20 == 0 else "agent-1" if page % 3 == 1 else "agent-2"
