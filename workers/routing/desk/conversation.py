"""A conversation as its desk knows it: how things stand after the last event of its chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from schemas.assignments import CareStatus, ChainEvent, Queued, SessionClosed, SessionOpened, Standing


class Waiting(NamedTuple):
    """A place in the queue. It sorts oldest first, those of one moment as the log has them."""

    queued_at: datetime
    queued_offset: int
    key: str
    """The conversation's."""


class Conversation(NamedTuple):
    """Changed by events alone, see `after`; the fields are those of schemas.assignments.ChainEvent."""

    id: UUID
    key: str
    page: str
    seq: int = 0
    last_event: UUID | None = None
    epoch: int = 0
    round: int = 1
    care: CareStatus = "new"
    standing: Standing = "idle"
    holder: str | None = None
    session: int = 0
    session_open: bool = False
    after_position: int = 0
    rule: str | None = None
    """The rule that queued it."""
    queued_at: datetime | None = None
    queued_offset: int | None = None

    @property
    def burdens(self) -> str | None:
        """The agent whose load it counts for: the holder, while a session is open."""
        return self.holder if self.session_open else None

    @property
    def waiting(self) -> Waiting | None:
        """Its place in the queue, if it stands there."""
        if self.queued_at is None or self.queued_offset is None:
            return None
        return Waiting(self.queued_at, self.queued_offset, self.key)

    def given_to(self, agent: str) -> dict[str, Any]:
        """What an event says that makes `agent` the holder."""
        return {
            "holder": agent,
            "standing": "held",
            "epoch": self.epoch + (agent != self.holder),
            "care": "accepted" if self.care in ("new", "waiting") else self.care,
        }


def after(event: ChainEvent, id_: UUID, before: Conversation | None) -> Conversation:
    """The conversation after `event`, whose `ce_id` is `id_`."""
    rule, queued_at, queued_offset = _queue_place(event, before)
    return Conversation(
        event.conversation,
        event.key,
        event.page,
        event.seq,
        id_,
        event.epoch,
        event.round,
        event.care,
        event.standing,
        event.holder,
        event.session,
        _session_open(event, before),
        event.after_position,
        rule,
        queued_at,
        queued_offset,
    )


def _queue_place(
    event: ChainEvent, before: Conversation | None
) -> tuple[str | None, datetime | None, int | None]:
    if isinstance(event, Queued):
        return event.rule, event.queued_at, event.queued_offset
    if event.standing == "queued" and before is not None:
        return before.rule, before.queued_at, before.queued_offset
    return None, None, None


def _session_open(event: ChainEvent, before: Conversation | None) -> bool:
    if isinstance(event, SessionOpened):
        return True
    return before is not None and before.session_open and not isinstance(event, SessionClosed)
