"""commands: everything a desk is asked to do, in the order in which it decides. Key: `workspace:desk`.

No texts, no profiles, no secrets: this log is kept for ever and can be replayed.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import Channel, ConversationKey, InsideModel, Name, PageId, Slug

AGENTS_MAX = 5_000
RULES_MAX = 1_000
PAGES_MAX = 5_000

Method = Literal["round_robin"]


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


class SessionEnded(ConversationCommand):
    """The stretch is over; facts for the reports, no texts."""

    ended_by: Literal["silence"]
    customer_messages: int
    agent_messages: int


class Agent(InsideModel):
    """A person who answers."""

    id: Slug
    name: Name
    capacity: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Open sessions held at once, at most; none: no limit."""


class Department(InsideModel):
    """A set of agents."""

    id: Slug
    name: Name
    agents: tuple[Slug, ...]


class Page(InsideModel):
    """One connected channel account."""

    id: PageId
    name: Name
    admins: Annotated[tuple[Slug, ...], Field(min_length=1)]
    """The first is the one who connected it."""


class Rule(InsideModel):
    """For which pages, to which agents, by which method. Rules have an order; the first that matches wins."""

    id: Slug
    name: Name
    owner: Slug
    pages: tuple[PageId, ...]
    agents: tuple[Slug, ...] = ()
    departments: tuple[Slug, ...] = ()
    method: Method = "round_robin"


class Configure(Command):
    """The desk's whole roster and rules, as they shall be from here on."""

    actor: str
    """Who asks: `cli:<id>`, …; also the key of the outcome."""
    idempotency_key: str
    agents: Annotated[tuple[Agent, ...], Field(max_length=AGENTS_MAX)]
    departments: tuple[Department, ...]
    pages: Annotated[tuple[Page, ...], Field(max_length=PAGES_MAX)]
    rules: Annotated[tuple[Rule, ...], Field(max_length=RULES_MAX)]
