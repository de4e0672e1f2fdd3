"""commands: everything a desk is asked to do, in the order in which it decides. Key: `workspace:desk`.

No texts, no profiles, no secrets: this log is kept for ever and can be replayed.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import Actor, Channel, ConversationKey, IdempotencyKey, InsideModel, Moment, PageId, Slug
from schemas.definitions import (
    AGENTS_MAX,
    DEPARTMENTS_MAX,
    PAGES_MAX,
    RULES_MAX,
    Agent,
    Department,
    Page,
    Policy,
    Rule,
)

RosterVersion = Annotated[int, Field(ge=0, lt=2**63)]
"""How often anything of a desk's roster has changed."""


class Command(InsideModel):
    """Which desk is asked."""

    workspace: Slug
    desk: Slug


class ConversationCommand(Command):
    """What concerns one conversation, and what its transcript held at that moment."""

    conversation: UUID
    key: ConversationKey
    position: int
    """The transcript's last position when this was asked."""
    session: int


class Route(ConversationCommand):
    """A customer wrote and somebody should answer: facts to choose by."""

    page: PageId
    channel: Channel
    opens_session: bool
    """This is the session's first customer message."""
    language: str | None = None
    tags: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    """Names of the workspace's keyword lists that matched."""
    answered: bool = False
    """A human has answered the customer before."""


class SessionEnded(ConversationCommand):
    """The stretch is over; facts for the reports, no texts."""

    ended_by: Literal["silence", "agent", "left", "done"]
    customer_messages: int
    agent_messages: int


class HistoryKept(ConversationCommand):
    """Older messages were fetched: the conversation begins with them, or a human has answered in them."""

    page: PageId
    answered: bool = False
    """A human has answered the customer: he is `new` no more."""


class Touched(ConversationCommand):
    """Somebody wrote in an open session, or its customer has other tags.

    Of one side that goes on writing it is told once a minute, and at once when the session was silent.
    """

    by: Literal["customer", "agent", "nobody"]
    """`nobody`: only the tags have changed."""
    tags: tuple[str, ...] = ()
    """The customer's, as they are by now: rules choose by them from here on."""


class SessionSilent(ConversationCommand):
    """Nobody has written in the open session for `silent_after_s` of the desk's policy."""


class OutsideAnswer(ConversationCommand):
    """A human answered the customer outside, e.g. in the Page's own inbox."""

    sender_id: str | None = None
    """Who, as the channel names him."""


TimerName = Literal["offer", "transfer", "block", "offline", "quiet", "limits", "hours", "urgent", "gateway"]


class TimerFired(Command):
    """A timer of the desk's own has come; ignored when it was disarmed meanwhile."""

    timer: TimerName
    subject: str
    """Key of the conversation, agent, rule or gateway that it is about."""
    due_at: Moment


class Vacate(Command):
    """The desk's own: agents who have left give up what they hold, where that is more than one decision.

    Admins of pages who are that no more give up so what they followed as such.
    """

    leaving: Annotated[dict[Slug, Literal["on_leave", "agent_removed"]], Field(max_length=AGENTS_MAX)]
    then: Literal["pool", "next"]
    at: Moment
    """When they left: what they were given since stays theirs."""
    by: Actor
    """Whose command it was."""
    command: IdempotencyKey
    """Its idempotency key."""
    pages: Annotated[tuple[PageId, ...], Field(max_length=PAGES_MAX)] = ()
    """Those of which somebody is an admin no more."""


class AskedCommand(Command):
    """What an agent, a service or the CLI asks for: it has exactly one outcome."""

    actor: Actor
    """Who asks: `agent:<workspace>/<id>`, `service:<id>`, `cli:<id>`; also the key of the outcome."""
    idempotency_key: IdempotencyKey
    """Remembered for 24 h; the same key with another body is refused."""
    by: Slug | None = None
    """The agent in whose name; none: a service's or operator's own."""
    authority: Literal["agent", "admin"] = "agent"
    """`admin`: of the workspace, who may what a page's admin may on every page."""


class Configure(AskedCommand):
    """The desk's whole roster and rules, as they shall be from here on."""

    agents: Annotated[tuple[Agent, ...], Field(max_length=AGENTS_MAX)]
    departments: tuple[Department, ...]
    pages: Annotated[tuple[Page, ...], Field(max_length=PAGES_MAX)]
    rules: Annotated[tuple[Rule, ...], Field(max_length=RULES_MAX)]
    policy: Policy = Policy()
    version: RosterVersion | None = None
    """Of the roster that who asks has read: if it has moved since, nothing is changed; none: in any case."""


class Removed(InsideModel):
    """What the desk shall not have any more."""

    agents: Annotated[tuple[Slug, ...], Field(max_length=AGENTS_MAX)] = ()
    departments: Annotated[tuple[Slug, ...], Field(max_length=DEPARTMENTS_MAX)] = ()
    rules: Annotated[tuple[Slug, ...], Field(max_length=RULES_MAX)] = ()


class RosterParts(InsideModel):
    """Parts of a desk's roster and rules, as they shall be; what is not named stays as it is."""

    agents: Annotated[tuple[Agent, ...], Field(max_length=AGENTS_MAX)] = ()
    """Whether those who are there are on leave stays as it is: that has a command of its own."""
    departments: Annotated[tuple[Department, ...], Field(max_length=DEPARTMENTS_MAX)] = ()
    pages: Annotated[tuple[Page, ...], Field(max_length=PAGES_MAX)] = ()
    """Of those that the desk has."""
    rules: Annotated[tuple[Rule, ...], Field(max_length=RULES_MAX)] = ()
    before: Slug | None = None
    """The rule before which `rules` come; none: each at its place, and new ones behind all others."""
    order: Annotated[tuple[Slug, ...], Field(max_length=RULES_MAX)] = ()
    """All rules, in the order in which they shall be tried; empty: as it is."""
    removed: Removed = Removed()
    policy: Policy | None = None


class Amend(AskedCommand, RosterParts):
    """Parts of the desk's roster and rules, as they shall be; what it does not name stays as it is."""

    version: RosterVersion
    """Of the roster that who asks has read: if it has moved since, nothing is changed."""
