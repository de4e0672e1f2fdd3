"""The transcript of a conversation, log lines included, from a position on in either direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_args
from uuid import UUID

import orjson
from asyncpg import Connection
from pydantic import BaseModel, Field

from schemas.base import Moment
from schemas.messages import Mark, Shared
from schemas.outbound import MeansName
from schemas.receipts import DeliveryState
from workers.files.files import Files
from workers.gateway.attachments import LineAttachment, with_files
from workers.gateway.problem import invalid
from workers.gateway.queries.names import read_names
from workers.gateway.queries.scope import Scope
from workers.wording.delivery import word_delivery
from workers.wording.word import LanguageCode, word

MESSAGES_MAX = 200
OUTREACH = get_args(MeansName)
HAVE_PARAMS = {"log", *OUTREACH}
SAID = {"text", "attachment", *OUTREACH}
POSITION_MAX = 2**31 - 1

COLUMNS = (
    "position, message_id, session, sender, sender_id, kind, body, attachments, code, params, stored_at, "
    "channel_message_id, blocked"
)
# How the messages of a page of the transcript stand: by their ids, of those that were sent to the channel.
DELIVERIES = """
SELECT message_id, state, reason, changed_at, ids, NULL::int AS duration_s FROM delivery
WHERE workspace_id = $1 AND message_id = ANY($2::uuid[])
UNION ALL
SELECT message_id, state, reason, changed_at, '{}', duration_s FROM outreach
WHERE workspace_id = $1 AND message_id = ANY($2::uuid[])
"""
OF_TICKET = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND position = ANY (ARRAY(
    SELECT position FROM ticket_line
    WHERE workspace_id = $1 AND conversation_id = $2 AND ticket = $3 AND position < $4
    ORDER BY position DESC LIMIT $5))
ORDER BY position
"""  # noqa: S608  columns of this module
MARKS = """
SELECT channel_message_id, mark, value, marked_at FROM message_mark
WHERE workspace_id = $1 AND conversation_id = $2 AND channel_message_id = ANY($3::text[])
    AND value IS NOT NULL
ORDER BY marked_at, mark
"""
BEFORE = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND position < $3 AND (kind <> 'note' OR $5)
    AND NOT history
ORDER BY position DESC LIMIT $4
"""  # noqa: S608  columns of this module
AFTER = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND position > $3 AND (kind <> 'note' OR $5)
    AND NOT history
ORDER BY position LIMIT $4
"""  # noqa: S608  columns of this module
LOGS = f"""
SELECT {COLUMNS} FROM message
WHERE workspace_id = $1 AND conversation_id = $2 AND kind = 'log'
ORDER BY position DESC LIMIT $3
"""  # noqa: S608  columns of this module


class LineDelivery(BaseModel):
    """How a message to the customer stands on its channel."""

    state: DeliveryState
    reason: str | None
    """Why it waits, has failed or is unknown; a word for programs."""
    text: str
    advice: str
    """What its agent can do; empty: nothing is to be done."""
    duration_s: int | None = None
    """Of a call that has ended."""
    at: Moment


class LineMark(BaseModel):
    """What somebody has done to a message after it was written."""

    mark: Mark
    value: str
    """The text as it is now, or the sign of the reaction."""
    at: Moment


class LineQuote(BaseModel):
    """The message that a line answers."""

    position: int | None = None
    """None: it is not among these lines, or was never here."""
    channel_message_id: str | None = None
    """As the channel calls it, when a customer quotes: its line has it in `channel_message_ids`."""


class Line(BaseModel):
    """One line: a message, a note, or a log line in the words of its reader."""

    position: int
    message: UUID
    session: int
    sender: str
    sender_id: str | None
    kind: str
    text: str | None
    attachments: list[LineAttachment] = Field(default_factory=list)
    mentions: list[str] = Field(default_factory=list)
    """Of a note."""
    asks: list[Shared] = Field(default_factory=list)
    """What the customer is asked to share with it."""
    reply_to: LineQuote | None = None
    code: str | None = None
    """Of a log line, with its parameters, for programs; of a mail, an SMS or a call `ticket`, `to` or `from`,
    and `subject`, `segments` or `agent_phone`."""
    params: dict[str, Any] = Field(default_factory=dict)
    at: Moment
    blocked: bool = False
    """Its customer was kept out when it came: no agent was told of it."""
    delivery: LineDelivery | None = None
    """Of an answer that was written here."""
    channel_message_ids: list[str] = Field(default_factory=list)
    """How the channel calls it: `marked` on the socket names one of these."""
    marks: list[LineMark] = Field(default_factory=list)
    """Its edits and reactions, as they are now; `text` stays what was written first."""


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
    connection: Connection,
    scope: Scope,
    conversation: UUID,
    desk: str,
    wanted: Wanted,
    language: LanguageCode,
    files: Files | None,
) -> Transcript:
    """The lines that are wanted; whether he may read them has been decided."""
    position, limit = wanted.position, wanted.limit
    statement = AFTER if wanted.forward else BEFORE
    is_colleague = bool(scope.agent)  # notes are not for other systems
    rows = await connection.fetch(statement, scope.workspace, conversation, position, limit + 1, is_colleague)
    lines = await complete(connection, scope, conversation, desk, rows[:limit], language, files)
    return Transcript(lines=tuple(sorted(lines, key=lambda line: line.position)), has_more=len(rows) > limit)


async def complete(
    connection: Connection,
    scope: Scope,
    conversation: UUID,
    desk: str,
    rows: Sequence[Mapping[str, Any]],
    language: LanguageCode,
    files: Files | None,
) -> list[Line]:
    """Rows of one conversation as lines, with all that is shown of them."""
    lines = await worded(connection, scope, desk, rows, language)
    await _add_marks(connection, scope, conversation, lines)
    await _add_files(connection, files, scope, conversation, lines)
    return lines


async def read_exchange(
    connection: Connection,
    scope: Scope,
    conversation: UUID,
    desk: str,
    ticket: int,
    before: int | None,
    limit: int,
    language: LanguageCode,
) -> Transcript:
    """The e-mails, SMS and calls of a ticket: the last ones, or those before a position."""
    below = POSITION_MAX if before is None else before
    rows = await connection.fetch(OF_TICKET, scope.workspace, conversation, ticket, below, limit + 1)
    lines = await worded(connection, scope, desk, rows[-limit:], language)
    return Transcript(lines=tuple(lines), has_more=len(rows) > limit)


async def worded(
    connection: Connection, scope: Scope, desk: str, rows: Iterable[Mapping[str, Any]], language: LanguageCode
) -> list[Line]:
    """Rows as lines, log lines in words."""
    lines = [_line(row) for row in rows]
    await _add_deliveries(connection, scope, lines, language)
    _place_quotes(lines)
    logs = [line for line in lines if line.kind == "log"]
    if logs:
        names = await read_names(connection, scope.workspace, desk)
        for line in logs:
            line.text = word(line.code or "", line.params, scope.agent or None, names, language)
    return lines


async def _add_deliveries(
    connection: Connection, scope: Scope, lines: Sequence[Line], language: LanguageCode
) -> None:
    """Say of each answer how it stands, and the channel's ids of it, once the delivery worker has read it."""
    answers = {line.message: line for line in lines if line.sender != "customer" and line.kind in SAID}
    if not answers:
        return
    for row in await connection.fetch(DELIVERIES, scope.workspace, list(answers)):
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


def _place_quotes(lines: Sequence[Line]) -> None:
    """Say where among them stands what customers quote."""
    positions = {id_: line.position for line in lines for id_ in line.channel_message_ids}
    for quote in (line.reply_to for line in lines):
        if quote is not None and quote.channel_message_id is not None:
            quote.position = positions.get(quote.channel_message_id)


async def _add_marks(connection: Connection, scope: Scope, conversation: UUID, lines: Sequence[Line]) -> None:
    """Say what was done to messages; those without a name on the channel have none."""
    of = {id_: line for line in lines for id_ in line.channel_message_ids}
    if not of:
        return
    for row in await connection.fetch(MARKS, scope.workspace, conversation, list(of)):
        mark = LineMark(mark=row["mark"], value=row["value"], at=row["marked_at"])
        of[row["channel_message_id"]].marks.append(mark)


async def _add_files(
    connection: Connection, files: Files | None, scope: Scope, conversation: UUID, lines: Sequence[Line]
) -> None:
    """Say of each attachment where its file is to be read."""
    said = [line for line in lines if line.attachments]
    if not said:
        return
    named = [(line.message, line.attachments) for line in said]
    found = await with_files(connection, files, scope.workspace, conversation, named)
    for line, attachments in zip(said, found, strict=True):
        line.attachments = attachments


def _quote(said: int | str | None) -> LineQuote | None:
    """Agents quote a place in the transcript, customers a message as their channel calls it."""
    if said is None:
        return None
    return LineQuote(position=said) if isinstance(said, int) else LineQuote(channel_message_id=said)


def _line(row: Mapping[str, Any]) -> Line:
    params = orjson.loads(row["params"]) if row["params"] else {}
    is_log = row["kind"] == "log"
    return Line(
        position=row["position"],
        message=row["message_id"],
        session=row["session"],
        sender=row["sender"],
        sender_id=row["sender_id"],
        kind=row["kind"],
        text=row["body"],
        attachments=orjson.loads(row["attachments"]) if row["attachments"] else [],
        mentions=[] if is_log else params.get("mentions", []),
        asks=[] if is_log else params.get("asks", []),
        reply_to=None if is_log else _quote(params.get("reply_to")),
        code=row["code"],
        params=params if row["kind"] in HAVE_PARAMS else {},
        at=row["stored_at"],
        blocked=row["blocked"],
        channel_message_ids=[row["channel_message_id"]] if row["channel_message_id"] else [],
    )
