"""The transcript of a conversation, log lines included, from a position on in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel

from workers.files.files import Files
from workers.gateway.problem import invalid
from workers.gateway.queries.line_parts import complete, worded
from workers.gateway.queries.lines import COLUMNS, Line
from workers.gateway.queries.where import Where
from workers.wording.word import LanguageCode

MESSAGES_MAX = 200
HISTORY_MAX = 100
POSITION_MAX = 2**31 - 1

OF_TICKET = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND position = ANY (ARRAY(
    SELECT position FROM ticket_line
    WHERE workspace_id = $1 AND conversation_id = $2 AND ticket = $3 AND position < $4
    ORDER BY position DESC LIMIT $5))
ORDER BY position
"""  # noqa: S608  columns of this package
BEFORE = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND position < $3 AND (kind <> 'note' OR $5)
    AND NOT history
ORDER BY position DESC LIMIT $4
"""  # noqa: S608  columns of this package
AFTER = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND position > $3 AND (kind <> 'note' OR $5)
    AND NOT history
ORDER BY position LIMIT $4
"""  # noqa: S608  columns of this package
LOGS = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND kind = 'log'
ORDER BY position DESC LIMIT $3
"""  # noqa: S608  columns of this package


class Wanted(NamedTuple):
    """At most `limit` lines before `position`, or after it."""

    position: int
    forward: bool
    limit: int


class Transcript(BaseModel):
    """Lines in their order."""

    lines: tuple[Line, ...]
    has_more: bool
    """In the direction that was asked for."""


def wanted(before: int | None, after: int | None, limit: int) -> Wanted:
    """What is asked for; without a position the last lines. Raises ApiError when both are given."""
    if before is not None and after is not None:
        raise invalid([{"loc": ("query", "after"), "msg": "give before or after, not both"}])
    if after is not None:
        return Wanted(after, forward=True, limit=limit)
    return Wanted(POSITION_MAX if before is None else before, forward=False, limit=limit)


async def read_transcript(
    where: Where, wanted: Wanted, language: LanguageCode, files: Files | None
) -> Transcript:
    """The lines that are wanted."""
    position, limit = wanted.position, wanted.limit
    statement = AFTER if wanted.forward else BEFORE
    is_colleague = bool(where.scope.agent)  # notes are not for other systems
    rows = await where.connection.fetch(statement, *where.place, position, limit + 1, is_colleague)
    lines = await complete(where, rows[:limit], language, files)
    return Transcript(lines=tuple(sorted(lines, key=lambda line: line.position)), has_more=len(rows) > limit)


async def read_exchange(
    where: Where, ticket: int, before: int | None, limit: int, language: LanguageCode
) -> Transcript:
    """The e-mails, SMS and calls of a ticket: the last ones, or those before a position."""
    below = POSITION_MAX if before is None else before
    rows = await where.connection.fetch(OF_TICKET, *where.place, ticket, below, limit + 1)
    lines = await worded(where, rows[-limit:], language)
    return Transcript(lines=tuple(lines), has_more=len(rows) > limit)


async def read_history(where: Where, language: LanguageCode) -> Sequence[Line]:
    """The last log lines, the newest first."""
    rows = await where.connection.fetch(LOGS, *where.place, HISTORY_MAX)
    return await worded(where, rows, language)
