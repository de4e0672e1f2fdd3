"""Lines of a transcript, as they stand in its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from schemas.base import Moment
from schemas.messages import Mark, Shared
from schemas.outbound import MeansName
from schemas.receipts import DeliveryState
from workers.gateway.attachments import LineAttachment

OUTREACH = get_args(MeansName)
HAVE_PARAMS = {"log", *OUTREACH}
COLUMNS = (
    "position, message_id, session, sender, sender_id, kind, body, attachments, code, params, stored_at, "
    "channel_message_id, blocked"
)


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


def line_of(row: Mapping[str, Any]) -> Line:
    """What a row says, with `COLUMNS`."""
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


def _quote(said: int | str | None) -> LineQuote | None:
    """Agents quote a place in the transcript, customers a message as their channel calls it."""
    if said is None:
        return None
    return LineQuote(position=said) if isinstance(said, int) else LineQuote(channel_message_id=said)
