"""Rows of `address_block`, which the gateway alone writes; and the list of all who are kept out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from asyncpg import Connection

from workers.channels.network import Network
from workers.gateway.blacklist.entry import BLOCKS_MAX, Entry, Kind, Seen, Term
from workers.gateway.queries.cursor import Cursor

# Locks the page's row: its blocks change one after the other, and who has seen the number has seen them all.
CHANGE = """
INSERT INTO address_block_version AS known (workspace_id, page_id, version) VALUES ($1, $2, 1)
ON CONFLICT (workspace_id, page_id) DO UPDATE SET version = known.version + 1
"""
OTHERS = """
SELECT count(*) FROM address_block
WHERE workspace_id = $1 AND page_id = $2 AND network <> $3::text::cidr AND (until IS NULL OR until > now())
"""
PUT = """
INSERT INTO address_block AS known (
    workspace_id, block_id, page_id, network, until, reason, conversation_id, blocked_by)
VALUES ($1, $2, $3, $4::text::cidr, $5, $6, $7, $8)
ON CONFLICT (workspace_id, page_id, network) DO UPDATE SET
    until = excluded.until, reason = excluded.reason, conversation_id = excluded.conversation_id,
    blocked_by = excluded.blocked_by, blocked_at = excluded.blocked_at
RETURNING block_id
"""
# In the same transaction: without the address, which is kept no longer than the block.
NOTE = """
INSERT INTO audit (workspace_id, at, actor, address, call, subject, code)
VALUES ($1, now(), $2, $3, $4, $5, 'done')
"""
# From a conversation: what was made elsewhere stays whose it is, and ends no sooner.
PROLONG = """
UPDATE address_block SET until = nullif(
    greatest(coalesce(until, 'infinity'), coalesce($5::timestamptz, 'infinity')), 'infinity')
WHERE workspace_id = $1 AND page_id = $2 AND network = $3::text::cidr
    AND conversation_id IS DISTINCT FROM $4 AND (until IS NULL OR until > now())
RETURNING block_id
"""
REMOVE = """
DELETE FROM address_block
WHERE workspace_id = $1 AND page_id = $2 AND (block_id = $3 OR conversation_id = $4) RETURNING block_id
"""
FORGET = "DELETE FROM address_block WHERE until < now()"
_ADDRESS = """
    block_id AS id, 'address' AS kind, page_id AS page, network::text AS address,
    conversation_id AS conversation, NULL AS customer, until, reason, blocked_by AS by, blocked_at AS at"""
_IN_FORCE = "(until IS NULL OR until > now())"
READ = f"""
SELECT {_ADDRESS} FROM address_block WHERE workspace_id = $1 AND block_id = $2 AND {_IN_FORCE}
"""  # noqa: S608  own columns
# Networks within another: said twice, for indexes know only the order.
_WITHIN = (
    "o.network <<= {0} AND o.network BETWEEN {0} AND "
    "set_masklen(broadcast({0}), CASE family({0}) WHEN 4 THEN 32 ELSE 128 END)::cidr"
)
# Where he came from last, and what keeps that out: of several networks the narrowest.
LAST_SEEN = f"""
SELECT v.network::text AS network, v.seen_at,
    (SELECT count(DISTINCT o.conversation_id) FROM visitor_address o
     WHERE o.workspace_id = v.workspace_id AND o.page_id = v.page_id AND {_WITHIN.format("v.network")}
    ) AS visitors,
    b.*
FROM (SELECT * FROM visitor_address WHERE workspace_id = $1 AND conversation_id = $2
      ORDER BY seen_at DESC LIMIT 1) v
LEFT JOIN LATERAL (
    SELECT {_ADDRESS} FROM address_block
    WHERE workspace_id = v.workspace_id AND page_id = v.page_id AND network >>= v.network AND {_IN_FORCE}
    ORDER BY masklen(network) DESC LIMIT 1) b ON true
"""  # noqa: S608  own columns
VISITORS = f"""
SELECT count(DISTINCT o.conversation_id) FROM visitor_address o
WHERE o.workspace_id = $1 AND o.page_id = $2 AND {_WITHIN.format("$3::text::cidr")}
"""  # noqa: S608  as above
_AT = "coalesce(d.blocked_at, to_timestamp(0))"
LIST = f"""
SELECT * FROM (
    (SELECT {_ADDRESS} FROM address_block
     WHERE workspace_id = $1 AND page_id = ANY ($2::text[]) AND {_IN_FORCE} AND $3 <> 'customer'
        AND (blocked_at, block_id) < ($4, $5)
        AND ($6::text IS NULL OR network >>= $7::text::cidr OR network <<= $7::text::cidr)
     ORDER BY blocked_at DESC, block_id DESC LIMIT $8)
    UNION ALL
    (SELECT d.conversation_id, 'customer', d.page_id, NULL, d.conversation_id,
        coalesce(k.name, k.channel_name), d.blocked_until, d.blocked_reason, d.blocked_by, d.blocked_at
     FROM desk_conversation d
     JOIN customer k ON k.workspace_id = d.workspace_id AND k.customer_id = d.conversation_id
     WHERE d.workspace_id = $1 AND d.page_id = ANY ($2::text[]) AND d.blocked AND $3 <> 'address'
        AND ({_AT}, d.conversation_id) < ($4, $5)
        AND ($6::text IS NULL OR k.words @@ customer_query($1, $6, true, '{{}}', '{{}}'))
     ORDER BY {_AT} DESC, d.conversation_id DESC LIMIT $8)
) AS listed ORDER BY coalesce(at, to_timestamp(0)) DESC, id DESC LIMIT $8
"""  # noqa: S608  own columns


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Of customers who were blocked before it was noted when."""


class By(NamedTuple):
    """Who does something, and from where."""

    workspace: str
    actor: str
    address: str


async def put(
    connection: Connection, by: By, page: str, network: str, term: Term, conversation: UUID | None
) -> UUID | None:
    """Keep a network out from now on; again, it counts from now. None: the page has as many as it may.

    Args:
        conversation: from which it is done: what was blocked elsewhere stays so, at least as long. None: an
            admin of the page says it, whatever was said before.
    """
    place = by.workspace, page, network
    until = None if term.days is None else datetime.now(UTC) + timedelta(days=term.days)
    async with connection.transaction():
        await connection.execute(CHANGE, by.workspace, page)
        id_: UUID | None = None
        if conversation is not None:
            id_ = await connection.fetchval(PROLONG, *place, conversation, until)
        if id_ is None:
            if await connection.fetchval(OTHERS, *place) >= BLOCKS_MAX:
                return None
            said = until, term.reason, conversation, by.actor
            id_ = await connection.fetchval(PUT, by.workspace, uuid4(), page, network, *said)
        await connection.execute(NOTE, *by, "block_address", str(id_))
    return id_


async def remove(
    connection: Connection, by: By, page: str, *, block: UUID | None = None, conversation: UUID | None = None
) -> bool:
    """Let a network in again, or what was blocked from a conversation; false: there is no such block."""
    async with connection.transaction():
        await connection.execute(CHANGE, by.workspace, page)
        gone = await connection.fetch(REMOVE, by.workspace, page, block, conversation)
        for row in gone:
            await connection.execute(NOTE, *by, "unblock_address", str(row["block_id"]))
    return bool(gone)


async def read(connection: Connection, workspace: str, id_: UUID) -> Entry | None:
    """A network that is kept out."""
    row = await connection.fetchrow(READ, workspace, id_)
    return row and Entry(**row)


async def read_last_seen(connection: Connection, workspace: str, conversation: UUID) -> Seen | None:
    """From where a conversation's visitor came last; none: it is not known, or not any more."""
    row = await connection.fetchrow(LAST_SEEN, workspace, conversation)
    return row and _seen(dict(row))


async def count_visitors(connection: Connection, workspace: str, page: str, network: str) -> int:
    """How many known visitors of a page come from a network."""
    return int(await connection.fetchval(VISITORS, workspace, page, network))


async def read_list(
    connection: Connection,
    workspace: str,
    pages: Collection[str],
    kind: Kind | None,
    search: str | None,
    network: Network | None,
    after: Cursor,
    limit: int,
) -> list[Entry]:
    """Who is kept out of these pages behind `after`, the newest first.

    Args:
        search: words of a customer's names, or the end of his phone.
        network: what `search` names, if it does: addresses are found by it.
    """
    named = None if network is None else str(network)
    rows = await connection.fetch(
        LIST, workspace, list(pages), kind or "", after.at, after.id, search, named, limit
    )
    return [Entry(**row) for row in rows]


def place_of(entry: Entry) -> Cursor:
    """Where an entry stands in the list: what comes next is behind it."""
    return Cursor(entry.at or _EPOCH, entry.id)


async def forget_blocks(connection: Connection) -> None:
    """Drop what is over."""
    await connection.execute(FORGET)


def _seen(row: dict[str, Any]) -> Seen:
    network, at, visitors = (row.pop(name) for name in ("network", "seen_at", "visitors"))
    return Seen(address=network, at=at, visitors=visitors, entry=Entry(**row) if row["id"] else None)
