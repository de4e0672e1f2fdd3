"""What a visitor sees of his conversation, read from the transcript: the one place where it has its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from schemas.base import rfc3339

LINES_MAX = 50
"""Read at once."""
_SHOWN = {"text", "attachment", "postback"}
_BLOCKED = {"blocked": True, "unblocked": False}
"""What log lines say, by their codes."""
_LINE = """
    m.position, m.session, m.message_id, m.sender, m.kind, m.code, m.body, m.attachments,
    m.params -> 'asks' AS asks, m.channel_message_id,
    m.stored_at,
    (SELECT d.state FROM delivery d
     WHERE d.workspace_id = m.workspace_id AND d.message_id = m.message_id) AS state"""
AFTER = f"""
SELECT ask.conversation_id, {_LINE}
FROM unnest($1::text[], $2::uuid[], $3::int[]) AS ask (workspace_id, conversation_id, after)
CROSS JOIN LATERAL (
    SELECT * FROM message m
    WHERE m.workspace_id = ask.workspace_id AND m.conversation_id = ask.conversation_id
        AND m.position > ask.after AND NOT m.history
    ORDER BY m.position LIMIT $4) m
ORDER BY ask.conversation_id, m.position
"""  # noqa: S608  columns of this module
BEFORE = f"""
SELECT m.conversation_id, {_LINE}
FROM (
    SELECT * FROM message m
    WHERE m.workspace_id = $1 AND m.conversation_id = $2 AND m.position < $3
        AND m.kind IN ('text', 'attachment', 'postback') AND NOT m.history
    ORDER BY m.position DESC LIMIT $4) m
ORDER BY m.position
"""  # noqa: S608  columns of this module
ENDS = """
SELECT position, seen_position, blocked FROM conversation WHERE workspace_id = $1 AND conversation_id = $2
"""
WORKSPACE = "SELECT workspace_id FROM page_registry WHERE page_id = $1"


class Ends(NamedTuple):
    """The last position of a transcript, and the last that an agent has read; 0: none.

    `blocked`: its customer is kept out.
    """

    position: int = 0
    seen: int = 0
    blocked: bool = False


class Ask(NamedTuple):
    """The lines of a conversation behind a position are wanted."""

    workspace: str
    conversation: UUID
    after: int


class Line(NamedTuple):
    """A line of a transcript."""

    conversation: UUID
    position: int
    shown: dict[str, Any] | None
    """What the visitor sees of it; none: it is no affair of his."""
    blocked: bool | None = None
    """That he is kept out from here on, or no more; none: it says nothing of that."""


async def workspace_of(pool: Any, page: str) -> str | None:  # noqa: ANN401 - asyncpg's
    """Whose page it is; none: nobody's. Raises what Postgres raises."""
    found: str | None = await pool.fetchval(WORKSPACE, page)
    return found


async def ends_of(pool: Any, workspace: str, conversation: UUID) -> Ends:  # noqa: ANN401 - asyncpg's
    """Of a transcript. Raises what Postgres raises."""
    row = await pool.fetchrow(ENDS, workspace, conversation)
    return Ends() if row is None else Ends(*row)


async def read_after(pool: Any, asks: Sequence[Ask]) -> list[Line]:  # noqa: ANN401 - asyncpg's
    """Up to LINES_MAX lines behind each position, in their order. Raises what Postgres raises."""
    workspaces, conversations, positions = zip(*asks, strict=True)
    return [line_of(row) for row in await pool.fetch(AFTER, workspaces, conversations, positions, LINES_MAX)]


async def read_before(pool: Any, workspace: str, conversation: UUID, before: int) -> list[Line]:  # noqa: ANN401 - asyncpg's
    """The last LINES_MAX lines that visitors see before a position. Raises what Postgres raises."""
    return [line_of(row) for row in await pool.fetch(BEFORE, workspace, conversation, before, LINES_MAX)]


def line_of(row: Mapping[str, Any]) -> Line:
    """A row as the visitor may see it: never a note, a log line, or an agent's name."""
    shown = None
    if row["kind"] in _SHOWN:
        id_ = row["channel_message_id"] or ""
        is_own = row["sender"] == "customer"
        shown = {
            "position": row["position"],
            "session": row["session"],
            "message": str(row["message_id"]),
            "from": row["sender"],
            "text": row["body"] or "",
            "attachments": orjson.loads(row["attachments"]) if row["attachments"] else [],
            "asks": orjson.loads(row["asks"]) if row["asks"] and not is_own else [],
            "at": rfc3339(row["stored_at"]),
            "state": row["state"],
            "id": id_.rpartition("/")[2] if is_own else None,
        }
    blocked = _BLOCKED.get(row["code"]) if row["kind"] == "log" else None
    return Line(row["conversation_id"], row["position"], shown, blocked)
