"""assignments: the public product. One chain of events per conversation. Key: `channel:account:user`."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas.base import ConversationKey, InsideModel, Moment, PageId, Slug
from schemas.commands import Method

CareStatus = Literal["new", "waiting", "accepted", "pending_close", "closed_won", "done", "refused"]
Standing = Literal["idle", "held", "offered", "queued"]
"""`idle`: nobody is wanted (no open session); `offered`: in the pool of the page's agents."""
PassedOverReason = Literal["at_capacity", "inactive"]

CANDIDATES_MAX = 20


class Cause(InsideModel):
    """The record on commands that this was decided on."""

    topic: Literal["commands"] = "commands"
    partition: int
    offset: int


class ChainEvent(InsideModel):
    """What every event of a chain says: its place, and how things stand after it."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    seq: int
    """1, 2, 3, … without gaps."""
    previous: UUID | None
    """The `ce_id` of the event before; none for the first."""
    epoch: int
    """How often the holder has changed."""
    round: int
    session: int
    after_position: int
    """The transcript's last position that was known when this was decided."""
    at: Moment
    """The log's time of the decision."""
    standing: Standing
    holder: Slug | None
    care: CareStatus
    cause: Cause


class SessionOpened(ChainEvent):
    """A customer wrote and no session was open."""


class SessionClosed(ChainEvent):
    """The session is over; the facts that reports need."""

    ended_by: Literal["silence"]
    customer_messages: int
    agent_messages: int


class Candidate(InsideModel):
    """One agent near the cursor, and why not (none: eligible)."""

    agent: Slug
    passed_over: PassedOverReason | None = None


class Why(InsideModel):
    """How the agent was found; `tongdai explain` recomputes the full list of candidates."""

    method: Method
    rule: Slug
    rule_version: int
    cursor_before: Slug | None
    cursor_after: Slug | None
    eligible: int
    """How many could have been chosen, the chosen one included."""
    passed_over: dict[PassedOverReason, int]
    """Between the cursor and the chosen agent."""
    candidates: tuple[Candidate, ...]
    """At most twenty around the cursor, in the order of the rotation."""
    queued_at: Moment | None = None
    """Since when it had waited, when it had."""


class Confirmed(ChainEvent):
    """A `route` was overtaken by an earlier answer: things stand as they stood, and nobody is told."""


class Assigned(ChainEvent):
    """`holder` has it from here on."""

    former_holder: Slug | None
    why: Why


class Queued(ChainEvent):
    """It waits for an agent of the rule, the oldest first.

    Nobody of the rule is eligible, unless the rule it waited for is gone: then it may be served at once.
    """

    rule: Slug
    rule_version: int
    passed_over: dict[PassedOverReason, int]
    queued_at: Moment
    """Since when it waits: kept when it is queued again under another rule."""
    queued_offset: int
    """On commands, of the record that made it wait: the order among those of one moment."""


class Offered(ChainEvent):
    """No rule matched: any agent of the page may take it, or its admin. Counted as unrouted."""

    audience: str
    """`page:<page id>`."""
    unrouted: bool
