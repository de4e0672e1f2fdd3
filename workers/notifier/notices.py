"""Notices as records on notifications."""

from __future__ import annotations

from typing import Any, NamedTuple

from schemas.assignments import Assigned
from schemas.envelope import Kind
from schemas.ids import agent_key, notice_id
from schemas.notifications import AssignedNotice, MessageNotice
from workers.notifier.reading import Input
from workers.notifier.recipients import Told
from workers.runtime.batch import Batch

ASSIGNED = Kind("notifications", "assigned")
MESSAGE = Kind("notifications", "message")


class Issued(NamedTuple):
    """A notice, and its kind."""

    kind: Kind
    notice: AssignedNotice | MessageNotice


def issue(told: Told) -> Issued:
    """The notice of it; its id hangs on the event and the agent alone."""
    kind = ASSIGNED if isinstance(told.about, Assigned) else MESSAGE
    return Issued(kind, _notice(told))


def emit(batch: Batch, cause: Input, issued: Issued) -> None:
    """Publish the notice to its agent."""
    notice = issued.notice
    batch.emit(
        cause.record,
        issued.kind,
        key=agent_key(notice.workspace, notice.agent).encode(),
        value=notice.model_dump_json(exclude_defaults=True).encode(),
        at_ms=cause.at_ms,
    )


def _notice(told: Told) -> AssignedNotice | MessageNotice:
    about = told.about
    fields: dict[str, Any] = {
        "workspace": about.workspace,
        "notice": notice_id(told.cause, f"{about.workspace}/{told.agent}"),
        "agent": told.agent,
        "conversation": about.conversation,
        "key": about.key,
        "page": about.page,
        # A page's id begins with its channel.
        "channel": about.page.partition(":")[0],
        "seq": about.seq,
        "epoch": told.epoch,
        "unread": told.unread,
        "message": told.message,
    }
    if isinstance(about, Assigned):
        return AssignedNotice(at=about.at, **fields)
    return MessageNotice(at=about.stored_at, **fields)
