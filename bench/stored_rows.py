"""Conversations that were stored before: the rows that intake and desk would have left, made by the server.

Each is held by one of the twelve agents, its one session over: a customer's message and an agent's answer,
spread over two years, the newest close together. A few thousand of them will write again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bench.roster import AGENTS, DESK, WORKSPACE
from bench.shop import SESSION, without_indexes
from bench.workload import PAGES, Customer
from config.settings import Settings
from config.topics import INBOUND
from schemas.ids import conversation_id
from workers.runtime.topology import Topology

MONTHS = 24
LINES = 2
"""Messages of each conversation."""
TABLES = (
    *("message", "message_seen", "conversation", "customer", "session"),
    *("ticket", "desk_conversation"),
)

RETURNING = "CREATE TEMP TABLE returning_customer (n bigint PRIMARY KEY, id uuid, lane int)"
MADE = """
CREATE TEMP TABLE made AS
SELECT n, coalesce(back.id, gen_random_uuid()) AS id, coalesce(back.lane, 0) AS lane, page,
    'old-' || n AS user_id, page || ':old-' || n AS key, (ARRAY[{agents}])[1 + n % {agent_count}] AS agent,
    timestamptz '{now}' - interval '1 day' - (n::float / {count}) ^ 1.5 * interval '690 days' AS at
FROM generate_series(0, {count} - 1) AS n
LEFT JOIN returning_customer AS back USING (n)
CROSS JOIN LATERAL (SELECT (ARRAY[{pages}])[1 + n % {page_count}] AS page) AS named;
"""
ROWS = """
INSERT INTO customer (workspace_id, customer_id, page_id, user_id, channel_name, created_at)
SELECT '{workspace}', id, page, user_id, 'Khách ' || n, at FROM made;
INSERT INTO conversation (workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq, epoch,
    standing, holder, route_unanswered, session, session_open, session_customer_messages,
    session_agent_messages, last_at, answered_at)
SELECT '{workspace}', id, '{desk}', lane, key, page, {lines}, 2, 1, 'held', agent, false, 1, false, 1, 1,
    at - interval '1 minute', at
FROM made;
INSERT INTO session (workspace_id, conversation_id, session, opened_at, first_position, ended_at, ended_by)
SELECT '{workspace}', id, 1, at, 1, at + interval '1 hour', 'silence' FROM made;
INSERT INTO ticket (workspace_id, conversation_id, number, ticket_id, page_id, session, first_position,
    status, subject, fields, agent_id, created_at, changed_at)
SELECT '{workspace}', id, 1, gen_random_uuid(), page, 1, 1, 'closed', '', '{{}}', agent, at, at FROM made;
INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq, last_event_id,
    epoch, round, care, standing, holder, session, session_open, after_position, held_since, last_holder,
    last_held_at)
SELECT '{workspace}', id, '{desk}', key, page, 2, gen_random_uuid(), 1, 1, 'accepted', 'held', agent, 1,
    false, {lines}, at, agent, at
FROM made;
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body,
    page_id, clock_ahead, stored_at, seq)
SELECT '{workspace}', id, p, gen_random_uuid(), 1, CASE p WHEN 1 THEN 'customer' ELSE 'agent' END, 'text',
    'Chào shop, còn số ' || n % 1000 || ' không, đơn DH' || n || ' ạ?', page, false,
    at - ({lines} - p) * interval '1 minute', 2
FROM made CROSS JOIN generate_series(1, {lines}) AS p;
INSERT INTO message_seen (workspace_id, message_id, conversation_id, position, stored_at)
SELECT workspace_id, message_id, conversation_id, position, stored_at FROM message;
DROP TABLE made, returning_customer;
"""


async def fill(
    connection: Any,  # noqa: ANN401  an asyncpg connection
    settings: Settings,
    count: int,
    returning: int,
) -> list[Customer]:
    """Fill empty tables with `count` conversations; those of them, evenly spread, who may write again."""
    numbers = [place * count // returning for place in range(returning)]
    given = {
        "count": count,
        "now": datetime.now(UTC).isoformat(),
        "workspace": WORKSPACE,
        "desk": DESK,
        "lines": LINES,
        "agents": _quoted(AGENTS),
        "agent_count": len(AGENTS),
        "pages": _quoted(PAGES),
        "page_count": len(PAGES),
    }
    await connection.execute(SESSION)
    await connection.execute(
        f"SELECT ensure_message_partitions(now() - interval '{MONTHS} months', {MONTHS})"
    )
    await connection.execute(RETURNING)
    await connection.copy_records_to_table("returning_customer", records=_places(settings, numbers))
    async with without_indexes(connection, TABLES):
        await connection.execute(MADE.format(**given))
        await connection.execute(ROWS.format(**given))
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    return [_customer(number) for number in numbers]


def _customer(number: int) -> Customer:
    return Customer(PAGES[number % len(PAGES)], f"old-{number}", f"Khách {number}")


def _places(settings: Settings, numbers: Sequence[int]) -> list[tuple[int, UUID, int]]:
    """Number, id and lane of those who write again: both follow from the key."""
    topology = Topology("", {"inbound": INBOUND.partitions(settings.kafka)})
    keys = [_customer(number).key for number in numbers]
    lanes = [topology.partition("inbound", key.encode()) for key in keys]
    return list(zip(numbers, map(conversation_id, keys), lanes, strict=True))


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
