"""commands, continued: what agents and page admins ask of a desk."""

from __future__ import annotations

from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field, ValidationInfo, field_validator

from schemas.assignments import BlockDays, BlockReason, CareStatus, DoneOutcome, Presence
from schemas.base import Channel, ConversationKey, InsideModel, PageId, Slug
from schemas.commands import AskedCommand, Command
from schemas.definitions import Capacity, ChannelCapacity
from schemas.orders import OrderId, OrderStatus
from schemas.tickets import TicketFields

BULK_MAX = 500
GatewayId = Annotated[str, Field(min_length=1, max_length=64)]


class Subject(InsideModel):
    """The conversation that is meant."""

    conversation: UUID
    key: ConversationKey


class ConversationAsk(AskedCommand, Subject):
    """What is asked about one conversation."""


class Claim(ConversationAsk):
    """I take it: the first in the log has it. Allowed to those to whom it is offered."""


class Beginning(InsideModel):
    """A session that begins with an agent's message, and the facts that a customer's would have told."""

    page: PageId
    channel: Channel
    session: int
    """Its number. Open by then, since the customer has written, it makes this an answer like any other."""
    position: int
    """The transcript's last position when this was asked."""
    tags: tuple[str, ...] = ()


class ReplyClaim(ConversationAsk):
    """An answer to an offered conversation that wants to be a claim; sent by intake for `by`.

    Beside its outcome, one event of the chain's topic names it: `assigned`, `confirmed` (he holds it already)
    or `reply_refused`.
    """

    begins: Beginning | None = None
    """It was not asked for: it begins a chat with a visitor of a website."""


class Release(ConversationAsk):
    """I give it back."""


class Appoint(ConversationAsk):
    """A page admin gives it to `agent`, who may be offline or at capacity."""

    agent: Slug


class Transfer(ConversationAsk):
    """Its holder offers it to an agent who is online, or to a department: one of the two."""

    to_agent: Slug | None = None
    to_department: Slug | None = None


class TransferAccept(ConversationAsk):
    """I take what was offered to me."""


class TransferReject(ConversationAsk):
    """I do not."""


class TransferCancel(ConversationAsk):
    """Its holder, or a page admin, takes the offer back."""


class TakeOver(ConversationAsk):
    """A page admin takes it from its holder, or out of the queue, for himself."""


class TakeOff(ConversationAsk):
    """A page admin takes it off its holder: to the pool, or to the next agent of the rule."""

    then: Literal["pool", "next"] = "next"


class SetCare(ConversationAsk):
    """Its holder, or a page admin, changes the care status by hand."""

    care: CareStatus
    reason: Slug | None = None
    """`refused` needs one of the policy's."""
    outcome: DoneOutcome | None = None
    """`done` needs one."""


class LinkOrder(ConversationAsk):
    """An order of its customer, as another system has it; from services, its holder or a page admin."""

    order: OrderId
    status: OrderStatus | None
    """None: it is his no more."""


class Follow(ConversationAsk):
    """Keep its customer on my list."""


class Unfollow(ConversationAsk):
    """Take its customer off my list, and tell me of no more messages."""


class Mute(ConversationAsk):
    """Tell me of no more messages of this conversation."""


class Unmute(ConversationAsk):
    """Tell me again."""


class Block(ConversationAsk):
    """Keep its customer out: his messages are stored, and neither routed nor notified."""

    days: BlockDays | None = None
    """It ends by itself; none: for good."""
    reason: BlockReason | None = None


class Unblock(ConversationAsk):
    """Let its customer in again."""


class SetCapacity(AskedCommand):
    """How many open sessions `agent` may hold, of all channels or of one; none: no limit."""

    agent: Slug
    capacity: Capacity | None
    channel_capacity: ChannelCapacity | None = None
    """All channels that have a limit of their own; none: those that have one keep it."""


class SetLeave(AskedCommand):
    """`agent` goes on leave or comes back; his conversations go back to their rules, or stay his."""

    agent: Slug
    on_leave: bool
    then: Literal["keep", "pool", "next"] = "next"


class SetTicketFields(AskedCommand):
    """What tickets can say from here on; what stands in a ticket already stays."""

    fields: TicketFields


ManyWhat = Literal[
    "appoint",
    "release",
    "take_over",
    "take_off",
    "set_care",
    "follow",
    "unfollow",
    "mute",
    "unmute",
    "block",
    "unblock",
]
"""What may be asked about many conversations at once."""


class Bulk(AskedCommand):
    """One thing about many conversations: each is decided by itself; the outcome names those refused."""

    what: ManyWhat
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1, max_length=BULK_MAX)]
    agent: Slug | None = None
    """Of `appoint`."""
    then: Literal["pool", "next"] = "next"
    """Of `take_off`."""
    care: CareStatus | None = None
    outcome: DoneOutcome | None = None
    """Of `set_care`."""
    days: BlockDays | None = None
    """Of `block`."""
    reason: Slug | None = None
    """Of `set_care`; of `block` one of its own."""

    @field_validator("reason")
    @classmethod
    def _is_one_of_blocks(cls, reason: Slug | None, info: ValidationInfo) -> Slug | None:
        if info.data.get("what") == "block" and reason not in (None, *get_args(BlockReason)):
            raise ValueError(f"a block has one of these: {', '.join(get_args(BlockReason))}")
        return reason


class SetPresence(Command):
    """What `agent` is at one gateway, all his connections there taken together. From gateways, no outcome."""

    agent: Slug
    gateway: GatewayId
    presence: Presence
    away: bool | None = None
    """He says that he is away, whatever gateways see of him, or that he is back; none: nothing new."""


class GatewayAlive(Command):
    """A gateway still serves this desk; every 10 s. After 30 s without, its agents' connections are gone."""

    gateway: GatewayId
