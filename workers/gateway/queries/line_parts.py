"""What is shown of lines beside their rows: words, how answers stand, marks, quotes and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.receipts import DeliveryState
from workers.files.files import Files
from workers.gateway.attachments import with_files
from workers.gateway.queries.lines import OUTREACH, Line, LineDelivery, LineMark, line_of
from workers.gateway.queries.names import read_names
from workers.gateway.queries.where import Where
from workers.wording.delivery import word_delivery
from workers.wording.word import LanguageCode, word

SAID = {"text", "attachment", *OUTREACH}

# How the messages of a page of the transcript stand: by their ids, of those that were sent to the channel.
DELIVERIES = """
SELECT message_id, state, reason, changed_at, ids, NULL::int AS duration_s FROM delivery
WHERE workspace_id = $1 AND message_id = ANY($2::uuid[])
UNION ALL
SELECT message_id, state, reason, changed_at, '{}', duration_s FROM outreach
WHERE workspace_id = $1 AND message_id = ANY($2::uuid[])
"""
MARKS = """
SELECT channel_message_id, mark, value, marked_at FROM message_mark
WHERE workspace_id = $1 AND conversation_id = $2 AND channel_message_id = ANY($3::text[])
    AND value IS NOT NULL
ORDER BY marked_at, mark
"""


async def complete(
    where: Where, rows: Iterable[Mapping[str, Any]], language: LanguageCode, files: Files | None
) -> list[Line]:
    """Rows of one conversation as lines, with all that is shown of them."""
    lines = await worded(where, rows, language)
    await _add_marks(where, lines)
    await _add_files(where, lines, files)
    return lines


async def worded(where: Where, rows: Iterable[Mapping[str, Any]], language: LanguageCode) -> list[Line]:
    """Rows as lines, log lines in words."""
    lines = [line_of(row) for row in rows]
    await _add_deliveries(where, lines, language)
    place_quotes(lines)
    logs = [line for line in lines if line.kind == "log"]
    if logs:
        names = await read_names(where.connection, where.scope.workspace, where.desk)
        for line in logs:
            line.text = word(line.code or "", line.params, where.scope.agent or None, names, language)
    return lines


async def _add_deliveries(where: Where, lines: Sequence[Line], language: LanguageCode) -> None:
    """Say of each answer how it stands, and the channel's ids of it, once the delivery worker has read it."""
    answers = {line.message: line for line in lines if line.sender != "customer" and line.kind in SAID}
    if not answers:
        return
    for row in await where.connection.fetch(DELIVERIES, where.scope.workspace, list(answers)):
        state: DeliveryState = "queued" if row["state"] == "sending" else row["state"]
        told = word_delivery(state, row["reason"], language)
        line = answers[row["message_id"]]
        line.channel_message_ids = row["ids"]
        line.delivery = LineDelivery(
            state=state,
            reason=row["reason"],
            text=told.text,
            advice=told.advice,
            duration_s=row["duration_s"],
            at=row["changed_at"],
        )


def place_quotes(lines: Sequence[Line]) -> None:
    """Say where among them stands what customers quote."""
    positions = {id_: line.position for line in lines for id_ in line.channel_message_ids}
    for quote in (line.reply_to for line in lines):
        if quote is not None and quote.channel_message_id is not None:
            quote.position = positions.get(quote.channel_message_id)


async def _add_marks(where: Where, lines: Sequence[Line]) -> None:
    """Say what was done to messages; those without a name on the channel have none."""
    of = {id_: line for line in lines for id_ in line.channel_message_ids}
    if not of:
        return
    for row in await where.connection.fetch(MARKS, *where.place, list(of)):
        mark = LineMark(mark=row["mark"], value=row["value"], at=row["marked_at"])
        of[row["channel_message_id"]].marks.append(mark)


async def _add_files(where: Where, lines: Sequence[Line], files: Files | None) -> None:
    """Say of each attachment where its file is to be read."""
    said = [line for line in lines if line.attachments]
    if not said:
        return
    named = [(line.message, line.attachments) for line in said]
    found = await with_files(where.connection, files, *where.place, named)
    for line, attachments in zip(said, found, strict=True):
        line.attachments = attachments
