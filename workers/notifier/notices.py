"""Notices as records on notifications.

Built as plain values: making the models takes three times as long. A test holds them against the models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from schemas.assignments import Assigned
from schemas.base import rfc3339
from schemas.envelope import Kind
from schemas.ids import agent_key, notice_id
from schemas.messages import Stored
from schemas.notifications import NoticeMessage
from workers.notifier.recipients import Told

ASSIGNED = Kind("notifications", "assigned")
MESSAGE = Kind("notifications", "message")


class Issued(NamedTuple):
    """A notice: what its row holds, and its record's kind, key and value."""

    workspace: str
    agent: str
    notice: UUID
    conversation: UUID
    seq: int
    epoch: int
    position: int
    """Of the message it speaks of; 0: none."""
    unread: int
    at: datetime
    kind: Kind
    key: bytes
    value: bytes


def issue(told: Told) -> Issued:
    """The notice of it; its id hangs on the event and the agent alone."""
    about = told.about
    if isinstance(about, Assigned):
        at_text = rfc3339(about.at)
        carried = _message(told.carried, rfc3339(told.carried.stored_at)) if told.carried else None
        return _issue(told, ASSIGNED, about.at, at_text, carried)
    at_text = rfc3339(about.stored_at)
    return _issue(told, MESSAGE, about.stored_at, at_text, _message(about, at_text))


def _issue(told: Told, kind: Kind, at: datetime, at_text: str, message: dict[str, Any] | None) -> Issued:
    about = told.about
    notice = notice_id(told.cause, f"{about.workspace}/{told.agent}")
    value = {
        "workspace": about.workspace,
        "notice": notice,
        "agent": told.agent,
        "conversation": about.conversation,
        "key": about.key,
        "page": about.page,
        # A page's id begins with its channel.
        "channel": about.page.partition(":")[0],
        "seq": about.seq,
        "epoch": told.epoch,
        "at": at_text,
        "unread": told.unread,
        "message": message,
    }
    return Issued(
        workspace=about.workspace,
        agent=told.agent,
        notice=notice,
        conversation=about.conversation,
        seq=about.seq,
        epoch=told.epoch,
        position=message["position"] if message else 0,
        unread=told.unread,
        at=at,
        kind=kind,
        key=agent_key(about.workspace, told.agent).encode(),
        value=orjson.dumps(value),
    )


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
