"""assignments: the public product. One chain of events per conversation. Key: `channel:account:user`."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import Channel, ConversationKey, EventId, InsideModel, Moment, PageId, Slug
from schemas.orders import OrderId, OrderStatus

CareStatus = Literal["new", "waiting", "accepted", "pending_close", "closed_won", "done", "refused"]
Standing = Literal["idle", "held", "offered", "queued"]
"""`idle`: nobody is wanted (no open session); `offered`: in the pool of the page's agents."""
BlockDays = Literal[7, 30]
BlockReason = Literal["spam", "abuse", "fraud", "other"]
"""Why somebody is kept out; words about it belong in a note, for this log is kept for ever."""
Presence = Literal["online", "away", "offline"]
DoneOutcome = Literal["won", "dead_end"]
PassedOverReason = Literal["at_capacity", "inactive", "on_leave", "offline", "gap", "window", "declined"]
"""`gap`, `window`: the rule's limits on new conversations; `declined`: he has had or refused this one."""
Means = Literal[
    "round_robin",
    "least_busy",
    "last_agent",
    "fallback",
    "claim",
    "reply",
    "start",
    "appoint",
    "transfer",
    "take_over",
    "reopened",
    "outside",
]
"""How an agent came to a conversation: by a method of the desk or by a person's act."""

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
    previous: EventId | None
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


class Facts(InsideModel):
    """What rules choose by, as the session's first customer message told, with the tags of now; no texts."""

    channel: Channel
    tags: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    language: str | None = None


class SessionOpened(ChainEvent):
    """A customer wrote and no session was open."""

    facts: Facts


class SessionClosed(ChainEvent):
    """The session is over; the facts that reports need."""

    ended_by: Literal["silence", "agent", "left", "done"]
    customer_messages: int
    agent_messages: int


class Candidate(InsideModel):
    """One agent near the cursor, and why not (none: eligible)."""

    agent: Slug
    passed_over: PassedOverReason | None = None


class Why(InsideModel):
    """How the agent was found; `tongdai explain` recomputes the full list of candidates."""

    method: Means
    rule: Slug | None = None
    """None: by a person, outside of every rule."""
    rule_version: int | None = None
    owner: Slug | None = None
    """Whose rule it was then: in his name the desk gave it."""
    by: str | None = None
    """Who decided, as `actor` of his command; none: the desk."""
    command: str | None = None
    """The idempotency key of that command."""
    exceeds: tuple[Literal["capacity", "offline", "on_leave"], ...] = ()
    """What a person's decision went beyond."""
    cursor_before: Slug | None = None
    cursor_after: Slug | None = None
    eligible: int = 0
    """How many could have been chosen, the chosen one included."""
    fallback_of: Slug | None = None
    """The rule of the conversation, of which nobody was eligible; none: it is `rule`."""
    passed_over: dict[PassedOverReason, int] = Field(default_factory=dict)
    """Between the cursor and the chosen agent."""
    candidates: tuple[Candidate, ...] = ()
    """At most twenty around the cursor, in the order of the rotation."""
    queued_at: Moment | None = None
    """Its age, when it had waited: since its session began, whoever had it meanwhile."""


class Confirmed(ChainEvent):
    """A `route` was overtaken by an earlier answer, or a reply claims what its sender holds already: things
    stand as they stood, and nobody is told."""

    command: str | None = None
    """The idempotency key of the `reply_claim`, whose message may be sent."""


class Assigned(ChainEvent):
    """`holder` has it from here on."""

    former_holder: Slug | None
    why: Why


class Queued(ChainEvent):
    """It waits for an agent of the rule, the oldest first.

    Nobody of the rule is eligible, unless another rule had it, or none: then it may be served at once.
    """

    rule: Slug
    rule_version: int
    passed_over: dict[PassedOverReason, int]
    limit: PassedOverReason | None = None
    """The rule's own limit that alone keeps it waiting, if one does."""
    priority: int = 0
    """0 VIP, 1 urgent, 2 usual: the smaller goes first."""
    queued_at: Moment
    """Its age, by which the queue is ordered: since its session began, kept over offers, agents and rules."""
    queued_offset: int
    """On commands, of the record that made it wait: the order among those of one moment."""


class Offered(ChainEvent):
    """Those of the audience may take it; the first to claim has it. The next event of the chain that leaves
    `standing` otherwise withdraws the offer."""

    audience: str
    """`page:<page id>`, `rule:<rule id>/<ring>`, `admins:<page id>` (to appoint somebody)."""
    unrouted: bool
    """No rule matched."""
    rule: Slug | None = None
    rule_version: int | None = None
    ring: int = 0
    """Of the rule's rings, from 0, the one that is asked."""
    agents: tuple[Slug, ...] = ()
    """Who is asked, when it is a rule's ring: at most 200 named, the rule and ring say the rest."""
    expires_at: Moment | None = None
    """It goes on to the next ring then; none: it waits."""
    let_pass: tuple[Slug, ...] = ()
    """Those of the ring before who did not take it in time: the desk does not ask them again by itself."""
    priority: int = 2
    queued_at: Moment | None = None
    """Its age, as `queued` says it."""
    queued_offset: int | None = None


class Unassigned(ChainEvent):
    """Nobody holds it any more; where it stands now is said by the next event."""

    former_holder: Slug
    how: Literal["released", "taken_off", "refused", "on_leave", "agent_removed", "offline", "outside"]
    """`outside` is said by nobody: a human who answers outside takes nothing from who holds it."""
    by: str | None = None
    command: str | None = None
    asked_again: bool = False
    """Whether the desk may give it to him again by itself before somebody else has had it."""


class Transferring(ChainEvent):
    """Its holder offers it; until it is answered he holds it."""

    to_agent: Slug | None
    to_department: Slug | None
    agents: tuple[Slug, ...]
    """Who is asked: at most 200 named. Told again with whoever of the department comes online meanwhile or
    joins it, and without who leaves it or goes on leave."""
    rejected: tuple[Slug, ...] = ()
    """Who of the department has rejected already: told again, without them, to those who are left."""
    again: Literal["rejected", "asked"] | None = None
    """Why it is told again: the last of `rejected` has now done so, or others are asked; none: it is new."""
    by: str
    command: str
    expires_at: Moment


class TransferEnded(ChainEvent):
    """It stays with its holder. An accepted one is told by `assigned`."""

    how: Literal["rejected", "cancelled", "expired", "target_offline", "target_left", "overtaken"]
    """`target_left`: whoever was asked is on leave, or not of the desk or the department any more."""
    agent: Slug | None = None
    """Who rejected, went offline or left; none: of a department nobody is left."""
    by: str | None = None
    command: str | None = None


class CareChanged(ChainEvent):
    """The care status changed; `round` is the one that counts from here on."""

    former_care: CareStatus
    reason: Slug | None = None
    outcome: DoneOutcome | None = None
    by: str | None = None
    """None: by itself. When one that was `done` reopens, the agent who wrote to its customer, if one did."""
    command: str | None = None


class Followed(ChainEvent):
    """`agent` has its customer on his list."""

    agent: Slug
    command: str | None = None
    as_admin: bool = False
    """Of its page, and not as who has it: it ends when he is none any more, unless he is given it before."""


class Unfollowed(ChainEvent):
    """`agent` has not any more."""

    agent: Slug
    command: str | None = None
    """None: the policy lets nobody follow what he had, or he followed it as an admin of its page."""


class Muted(ChainEvent):
    """`agent` is told of no more messages of it."""

    agent: Slug
    command: str | None = None


class Unmuted(ChainEvent):
    """`agent` is told again."""

    agent: Slug
    command: str | None = None


class Blocked(ChainEvent):
    """Its customer is kept out."""

    until: Moment | None
    by: str
    command: str
    reason: BlockReason | None = None


class Unblocked(ChainEvent):
    """Its customer is let in again; `by` none: the time was over."""

    by: str | None = None
    command: str | None = None


class HolderAbsent(ChainEvent):
    """Its customer wrote while its holder is offline: if he still is at `until`, it is back in the pool."""

    until: Moment | None
    """None: he is back or has answered, and keeps it."""


class Quieted(ChainEvent):
    """A human answers its customer outside: nobody is asked before `until`."""

    until: Moment


class SessionSilenced(ChainEvent):
    """Its open session counts as load no more, until somebody writes."""


class SessionWoken(ChainEvent):
    """Its open session counts again."""


class FactsChanged(ChainEvent):
    """Its customer has other tags in an open session: rules choose by these facts from here on."""

    facts: Facts


class OrderChanged(ChainEvent):
    """Another system has told of an order of its customer. With a new round those that are over are gone."""

    order: OrderId
    status: OrderStatus | None
    """None: it is his no more."""
    former_status: OrderStatus | None
    """None: it was not known."""
    by: str
    command: str


class ReplyRefused(InsideModel):
    """An answer that wanted to be a claim came too late, or was not allowed. Not an event of the chain."""

    workspace: Slug
    desk: Slug
    conversation: UUID
    key: ConversationKey
    command: str
    code: str
    sentence: str
    allowed: tuple[str, ...] = ()
    """What its sender may do instead."""
    details: dict[str, Any] = Field(default_factory=dict)
    at: Moment
    cause: Cause
