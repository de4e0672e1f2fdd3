"""Lines of transcripts: each gets its conversation's next position, a row of `message` and an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from schemas.envelope import Kind, time_text
from schemas.messages import MessageKind, Sender
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.files import files_of
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

CLOCK_AHEAD_MS = 5 * 60 * 1000
"""A channel's time that lies further after the log's is marked."""

STORED = Kind("messages", "stored")
TOMBSTONE = "erased"
"""The code of a line whose words are gone."""

INSERT = """
INSERT INTO message (
    workspace_id, conversation_id, page_id, position, message_id, session, clock_ahead, history, blocked,
    stored_at, seq, sender, kind, sender_id, body, attachments, code, params, channel_message_id, sent_at)
SELECT workspace_id, conversation_id, page_id, position, message_id, session, clock_ahead IS TRUE,
    history IS TRUE, blocked IS TRUE, stored_at, seq, sender, kind, sender_id, body, attachments, code,
    params, channel_message_id, sent_at
FROM json_to_recordset($1::json) AS line (
    workspace_id text, conversation_id uuid, page_id text, position int, message_id uuid, session int,
    clock_ahead boolean, history boolean, blocked boolean, stored_at timestamptz, seq int, sender text,
    kind text, sender_id text, body text, attachments jsonb, code text, params jsonb, channel_message_id text,
    sent_at timestamptz)
"""


@dataclass(slots=True)
class Line:
    """What is said, before it has its place."""

    message: str
    """The message's id."""
    sender: Sender
    kind: MessageKind
    sender_id: str | None = None
    text: str | None = None
    attachments: list[dict[str, Any]] | None = None
    code: str | None = None
    params: dict[str, Any] | None = None
    mentions: tuple[str, ...] = ()
    channel_message_id: str | None = None
    sent_at_ms: int | None = None
    history: bool = False
    """It is older than its place, and of no session."""


def append(work: Work, conversation: Conversation, cause: Record, at_ms: int, line: Line) -> None:
    """Give `line` the next place in the transcript and publish it; marked, if its customer is kept out."""
    conversation.position += 1
    clock_ahead = line.sent_at_ms is not None and line.sent_at_ms > at_ms + CLOCK_AHEAD_MS
    work.lines.append(_row(conversation, at_ms, line, clock_ahead))
    if line.attachments:
        of_channel = line.channel_message_id is not None
        place = conversation.workspace, conversation.id, line.message
        work.files += files_of(*place, line.attachments, of_channel=of_channel)
    value = orjson.dumps(_stored(conversation, at_ms, line, clock_ahead))
    work.batch.emit(cause, STORED, key=cause.key, value=value, at_ms=at_ms)


def is_blocked(conversation: Conversation, line: Line) -> bool:
    """Whether it is of a customer who is kept out."""
    return conversation.blocked and line.sender == "customer" and not line.history


def _stored(conversation: Conversation, at_ms: int, line: Line, clock_ahead: bool) -> dict[str, Any]:
    """The value of schemas.messages.Stored, without what is None."""
    value: dict[str, Any] = {
        **conversation.facts,
        "page": conversation.page,
        "channel": conversation.channel,
        "message": line.message,
        "position": conversation.position,
        "session": _session(conversation, line),
        "sender": line.sender,
        "kind": line.kind,
        "attachments": line.attachments or (),
        "clock_ahead": clock_ahead,
        "stored_at": time_text(at_ms),
        "seq": conversation.seq,
        "epoch": conversation.epoch,
    }
    if is_blocked(conversation, line):
        value["blocked"] = True
    if line.text is not None:
        value["text"] = line.text
    if line.sender_id is not None:
        value["sender_id"] = line.sender_id
    if line.code is not None:
        value["code"] = line.code
    if line.params is not None:
        value["params"] = line.params
    if line.mentions:
        value["mentions"] = line.mentions
    if line.channel_message_id is not None:
        value["channel_message_id"] = line.channel_message_id
    if line.sent_at_ms is not None:
        value["sent_at"] = time_text(line.sent_at_ms)
    if line.history:
        value["history"] = True
    return value


def _session(conversation: Conversation, line: Line) -> int:
    return 0 if line.history else conversation.session


def _row(conversation: Conversation, at_ms: int, line: Line, clock_ahead: bool) -> dict[str, Any]:
    """The row of `message`. What few have is left out where it is not, since each field takes its time."""
    row = {
        "workspace_id": conversation.workspace,
        "conversation_id": conversation.id,
        "page_id": conversation.page,
        "position": conversation.position,
        "message_id": line.message,
        "session": _session(conversation, line),
        "stored_at": time_text(at_ms),
        "seq": conversation.seq,
        "sender": line.sender,
        "kind": line.kind,
    }
    seldom = (
        ("clock_ahead", clock_ahead or None),
        ("history", line.history or None),
        ("blocked", is_blocked(conversation, line) or None),
        ("sender_id", line.sender_id),
        ("body", line.text),
        ("attachments", line.attachments),
        ("code", line.code),
        ("params", line.params),
        ("channel_message_id", line.channel_message_id),
        ("sent_at", None if line.sent_at_ms is None else time_text(line.sent_at_ms)),
    )
    row.update(field for field in seldom if field[1] is not None)
    return row
