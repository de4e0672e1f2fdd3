"""Notices as records on notifications.

Built as plain values: making the models takes three times as long. A test holds them against the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from schemas.base import rfc3339
from schemas.envelope import Kind
from schemas.ids import agent_key, audience_key, channel_of, notice_id
from schemas.messages import Read, Stored
from schemas.notifications import NoticeMessage
from schemas.receipts import Delivery
from workers.notifier.told import Announced, Telling, Told

KINDS = {
    what: Kind("notifications", what)
    for what in (
        "assigned",
        "message",
        "mention",
        "answer_failed",
        "returned",
        "unassigned",
        "transfer_offered",
        "transfer_ended",
        "care_changed",
        "read",
        "offered",
        "withdrawn",
        "conversation_changed",
        "page_paused",
        "page_resumed",
    )
}


class NoticeRow(NamedTuple):
    """A row of the table `notice`: what an agent was told in person."""

    workspace: str
    agent: str
    notice: UUID
    kind: str
    conversation: UUID
    seq: int
    epoch: int
    position: int
    """Of the message it speaks of; 0: none."""
    unread: int
    at: datetime


class Issued(NamedTuple):
    """A notice as a record, and its row, if it is kept: what audiences are told, and read marks, are not."""

    kind: Kind
    key: bytes
    value: bytes
    row: NoticeRow | None


def issue(told: Telling) -> Issued:
    """The notice of it; its id hangs on the event and the recipient alone."""
    return _announce(told) if isinstance(told, Announced) else _tell(told)


def _tell(told: Told) -> Issued:
    about, agent = told.about, told.agent
    at = about.stored_at if isinstance(about, Stored) else about.at
    at_text = rfc3339(at)
    notice = notice_id(told.cause, f"{about.workspace}/{agent}")
    value = {
        "workspace": about.workspace,
        "notice": notice,
        "agent": agent,
        "conversation": about.conversation,
        "key": about.key,
        "page": about.page,
        # A page's id begins with its channel.
        "channel": channel_of(about.page),
        "seq": told.seq,
        "epoch": told.epoch,
        "at": at_text,
        "unread": told.unread,
        **_bare(told.more),
    }
    message, position = told.message, 0
    if isinstance(about, Read | Delivery):
        value["position"] = about.position
        position = about.position if isinstance(about, Delivery) else 0
    if message is not None:
        position = message.position
        value["message"] = _message(message, at_text if message is about else rfc3339(message.stored_at))
    elif told.what in _NULLABLE:
        value |= {name: told.more.get(name) for name in _NULLABLE[told.what]}
    row = NoticeRow(
        about.workspace,
        agent,
        notice,
        told.what,
        about.conversation,
        told.seq,
        told.epoch,
        position,
        told.unread,
        at,
    )
    key = agent_key(about.workspace, agent).encode()
    return Issued(KINDS[told.what], key, orjson.dumps(value), None if told.what == "read" else row)


_NULLABLE = {"assigned": ("message",), "transfer_ended": ("holder",), "answer_failed": ("reason",)}
"""What is said even when there is none."""


def _announce(told: Announced) -> Issued:
    event = told.about
    seq, epoch = told.place
    value = {
        "workspace": event.workspace,
        "notice": notice_id(told.cause, f"{event.workspace}/{told.what}/{told.audience}"),
        "audience": told.audience,
        "conversation": event.conversation,
        "key": event.key,
        "page": event.page,
        "channel": channel_of(event.page),
        "seq": seq,
        "epoch": epoch,
        "at": rfc3339(event.at),
        **{name: _plain(each) for name, each in told.more.items()},
    }
    return Issued(
        KINDS[told.what], audience_key(event.workspace, told.audience).encode(), orjson.dumps(value), None
    )


def _bare(more: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in more.items() if value is not None}


def _plain(value: object) -> object:
    return rfc3339(value) if isinstance(value, datetime) else value


def _message(message: Stored | NoticeMessage, stored_at: str) -> dict[str, Any]:
    value: dict[str, Any] = {
        "position": message.position,
        "sender": message.sender,
        "kind": message.kind,
        "stored_at": stored_at,
    }
    if message.text is not None:
        value["text"] = message.text
    if message.attachments:
        value["attachments"] = [each.model_dump(exclude_none=True) for each in message.attachments]
    return value
