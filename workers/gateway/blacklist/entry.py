"""What the blacklist says, and what is said to it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.assignments import BlockDays, BlockReason
from schemas.base import Moment, PageId

BLOCKS_MAX = 1_000
"""Addresses of one page: every ingress keeps them in memory."""
PREFIX_MIN = {4: 16, 6: 32}
"""The shortest prefix that may be kept out, by the version of IP: a shorter one is a slip of the hand."""

Kind = Literal["customer", "address"]
Address = Annotated[str, StringConstraints(min_length=2, max_length=50, pattern=r"^[0-9a-fA-F:./]+$")]


class Term(BaseModel):
    """For how long somebody is kept out, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: BlockDays | None = None
    """It ends by itself; null: for good."""
    reason: BlockReason | None = None


class AddressBody(Term):
    """An address, or a network of one, that a page keeps out."""

    page: PageId
    address: Annotated[Address, Field(description="203.0.113.7, 2001:db8::1 (its /64), or 203.0.113.0/24.")]


class Entry(BaseModel):
    """Somebody who is kept out."""

    id: UUID
    """Of an address; of a customer his conversation's."""
    kind: Kind
    page: str
    address: str | None = None
    """The network that is kept out."""
    conversation: UUID | None
    """The customer's; of an address the one from which it was blocked."""
    customer: str | None = None
    """The customer's name."""
    until: Moment | None
    """It ends then, by itself; null: it does not."""
    reason: BlockReason | None
    by: str | None
    at: Moment | None


class Entries(BaseModel):
    """Part of the list, the newest first."""

    entries: tuple[Entry, ...]
    next: str | None
    """What to give as `after` for the next part; null: this was the last."""


class Blocked(BaseModel):
    """What was kept out, and whom that concerns."""

    entry: Entry
    visitors: int
    """So many known visitors of the page come from there: those who have written, of late."""


class Seen(BaseModel):
    """From where a visitor came last, and whom a block of it would concern."""

    address: str
    at: Moment
    visitors: int
    """So many known visitors of the page come from there, himself among them."""
    entry: Entry | None
    """That it is kept out already."""
