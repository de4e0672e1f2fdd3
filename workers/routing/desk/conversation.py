"""A conversation as its desk knows it: how things stand after the last event of its chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from schemas.assignments import BlockReason, CareStatus, DoneOutcome, Facts, Standing
from schemas.orders import OrderStatus

Group = tuple[str, frozenset[str]]
"""Channel, and who has declined."""


class Waiting(NamedTuple):
    """A place in the queue: by priority, then oldest first, those of one moment as the log has them."""

    priority: int
    queued_at: datetime
    queued_offset: int
    key: str
    """The conversation's."""
    declined: frozenset[str] = frozenset()
    """Who is not asked for it."""

    @property
    def group(self) -> Group:
        """Those for whom the same agents can be chosen."""
        return self.key.partition(":")[0], self.declined


class Transfer(NamedTuple):
    """An offer of its holder that nobody has answered yet."""

    to_agent: str | None
    to_department: str | None
    agents: tuple[str, ...]
    """Who may accept."""
    by: str
    command: str
    expires_at: datetime
    rejected: tuple[str, ...] = ()
    """Who of the department has rejected it."""

    @property
    def target(self) -> str:
        """Whom it is for: an agent, or `department:<id>`."""
        return self.to_agent or f"department:{self.to_department}"


class Conversation(NamedTuple):
    """Changed by events alone, see workers.routing.desk.chain; names mean the same as in the events."""

    id: UUID
    key: str
    page: str
    last_event: str | None = None
    seq: int = 0
    epoch: int = 0
    round: int = 1
    care: CareStatus = "new"
    standing: Standing = "idle"
    holder: str | None = None
    session: int = 0
    after_position: int = 0
    session_open: bool = False
    rule: str | None = None
    """By which it is queued, offered or held in its open session, if by any."""
    queued_at: datetime | None = None
    """Since when it waits, in the queue or offered: since its session began. Kept while it is held."""
    queued_offset: int | None = None
    priority: int = 2
    facts: Facts | None = None
    """Of the session's first customer message, with the tags of now; none before the first session."""
    reason: str | None = None
    outcome: DoneOutcome | None = None
    declined: frozenset[str] = frozenset()
    """Not asked again by the desk itself until somebody else has held it, its session is over, or it has been
    `done` and reopens."""
    audience: str | None = None
    """To whom it is offered."""
    ring: int = 0
    offer_expires_at: datetime | None = None
    transfer: Transfer | None = None
    followers: frozenset[str] = frozenset()
    admin_followers: frozenset[str] = frozenset()
    """Of these, who may since they administer its page: they have not had it since."""
    muted: frozenset[str] = frozenset()
    held_since: datetime | None = None
    """Since when its holder has it."""
    taken_from: str | None = None
    """The audience of the offer that ended by a claim: whoever was asked learns who won."""
    last_holder: str | None = None
    last_held_at: datetime | None = None
    """Until when the last holder had it with an open session."""
    blocked: bool = False
    blocked_until: datetime | None = None
    blocked_at: datetime | None = None
    blocked_by: str | None = None
    blocked_reason: BlockReason | None = None
    silent: bool = False
    absent_until: datetime | None = None
    quiet_until: datetime | None = None
    """A human answers it outside: nobody is asked before."""
    orders: tuple[tuple[str, OrderStatus], ...] = ()
    """The customer's, each with its status; that which changed last comes last."""

    @classmethod
    def fresh(cls, id_: UUID, key: str, page: str) -> Conversation:
        """One of which nothing was told yet."""
        return tuple.__new__(cls, (id_, key, page, *_USUAL))

    @property
    def carried(self) -> tuple[str, bool] | None:
        """The agent who has it to do, and whether it is silent: the holder, while a session is open.

        It is his load unless it is silent. A customer who is kept out is nobody's.
        """
        if self.holder is None or not self.session_open or self.blocked:
            return None
        return self.holder, self.silent

    @property
    def waiting(self) -> Waiting | None:
        """Its place in the queue, if it stands there."""
        if self.standing != "queued" or self.queued_at is None or self.queued_offset is None:
            return None
        return Waiting(self.priority, self.queued_at, self.queued_offset, self.key, self.declined)

    @property
    def waited_since(self) -> datetime | None:
        """Since when it waits or is offered, if it is now."""
        return self.queued_at if self.standing in ("queued", "offered") else None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody is sought for it: it is queued, or offered."""
        return self.standing in ("queued", "offered")

    @property
    def offers(self) -> str | None:
        """The rule that offers it to one of its rings, if one does."""
        return self.rule if self.audience is not None and self.audience.startswith("rule:") else None

    def changed(self, changes: Mapping[str, Any]) -> Conversation:
        """The conversation with `changes`, by field: `_replace`, at a third of its time."""
        return _changed(list(self), changes)

    def told(self, id_: str, said: Iterable[Any], changes: Mapping[str, Any]) -> Conversation:
        """The same after the event `id_`, of which `said` is what SAID_BY_ALL names, in that order."""
        fields = list(self)
        fields[_TOLD] = (id_, *said)
        return _changed(fields, changes)

    def given_to(self, agent: str) -> dict[str, Any]:
        """What an event says that makes `agent` the holder."""
        return {
            "holder": agent,
            "standing": "held",
            "epoch": self.epoch + (agent != self.holder),
            "care": "accepted" if self.care in ("new", "waiting") else self.care,
        }

    def without_holder(self) -> dict[str, Any]:
        """What an event says after which nobody holds it."""
        return {"holder": None, "standing": "idle", "care": "waiting"}


def _changed(fields: list[Any], changes: Mapping[str, Any]) -> Conversation:
    for name, value in changes.items():
        fields[_INDEX[name]] = value
    return tuple.__new__(Conversation, fields)


_USUAL = tuple(Conversation._field_defaults.values())
_INDEX = {name: index for index, name in enumerate(Conversation._fields)}
_TOLD = slice(_INDEX["last_event"], _INDEX["after_position"] + 1)
SAID_BY_ALL = Conversation._fields[_TOLD][1:]
"""Fields of a conversation that every event of its chain says."""
