"""Older messages of a conversation, in the order in which they were said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from schemas.envelope import moment
from workers.files.files import Files
from workers.gateway.queries.line_parts import complete
from workers.gateway.queries.lines import COLUMNS, Line
from workers.gateway.queries.transcript import POSITION_MAX
from workers.gateway.queries.where import Where
from workers.wording.word import LanguageCode

Mark = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}-[0-9]{1,10}$")]
"""Microseconds since 1970, and a position."""
_END = datetime(9999, 1, 1, tzinfo=moment(0).tzinfo)

OLDER = f"""
SELECT {COLUMNS}, sent_at, (extract(epoch FROM sent_at) * 1000000)::bigint AS sent_us
FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND history AND (sent_at, position) < ($3, $4)
ORDER BY sent_at DESC, position DESC LIMIT $5
"""  # noqa: S608  columns of this package


class Older(BaseModel):
    """Lines in the order of their own times."""

    lines: tuple[Line, ...]
    next: str | None
    """For what was said before these; none: nothing that was fetched."""


async def read_older(
    where: Where, before: str | None, limit: int, language: LanguageCode, files: Files | None
) -> Older:
    """The last lines, or those before a mark."""
    at, position = _END, POSITION_MAX
    if before is not None:
        microseconds, _, place = before.partition("-")
        at, position = _moment(int(microseconds)), min(int(place), POSITION_MAX)
    rows = await where.connection.fetch(OLDER, *where.place, at, position, limit + 1)
    shown = rows[:limit]
    lines = await complete(where, shown, language, files)
    for line, row in zip(lines, shown, strict=True):
        line.at = row["sent_at"]
    last = shown[-1] if len(rows) > limit else None
    return Older(
        lines=tuple(reversed(lines)), next=None if last is None else f"{last['sent_us']}-{last['position']}"
    )


def _moment(microseconds: int) -> datetime:
    """Of microseconds since 1970; of too many, the end of time."""
    milliseconds, rest = divmod(microseconds, 1_000)
    try:
        return moment(milliseconds).replace(microsecond=milliseconds % 1_000 * 1_000 + rest)
    except (OverflowError, ValueError, OSError):
        return _END
