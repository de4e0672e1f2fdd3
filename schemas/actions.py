"""actions: what agents do in a conversation, and intake's own timers. Key: `channel:account:user`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field, model_validator

from schemas.base import (
    ATTACHMENTS_MAX,
    NO_CONTROL_PATTERN,
    NO_NUL_PATTERN,
    Actor,
    ConversationKey,
    IdempotencyKey,
    InsideModel,
    Moment,
    Name,
    Slug,
    Text,
)
from schemas.definitions import Tag
from schemas.messages import MessageAttachment, Shared
from schemas.tickets import (
    FIELDS_MAX,
    FieldValue,
    MailSubject,
    StatusByHand,
    Subject,
    TicketChange,
    TicketNumber,
)

MENTIONS_MAX = 50
SMS_CHARS_MAX = 918
"""Six SMS at most, whatever is in them."""
ASKING_CHARS_MAX = 500
LABELS_MAX = 100
POSITION_MAX = 2**31 - 1
Attachments = Annotated[tuple[MessageAttachment, ...], Field(max_length=ATTACHMENTS_MAX)]
Label = Tag
CLEARED_OR_PLAIN = rf"^$|{NO_CONTROL_PATTERN}"


class SessionTimer(InsideModel):
    """The silence that ends a session may have come; ignored when the customer wrote meanwhile."""

    workspace: Slug
    conversation: UUID
    session: int
    due_at: Moment


class SilenceTimer(InsideModel):
    """The silence after which a session does not count as load may have come."""

    workspace: Slug
    conversation: UUID
    session: int
    due_at: Moment


class Action(InsideModel):
    """What an agent, a service or the CLI does in one conversation: it has exactly one outcome."""

    workspace: Slug
    conversation: UUID
    key: ConversationKey
    actor: Actor
    """Who: `agent:<workspace>/<id>`, `service:<id>`, `cli:<id>`; also the key of the outcome."""
    idempotency_key: IdempotencyKey
    by: Slug | None = None
    """The agent in whose name; none: a service's or bot's own."""
    authority: Literal["agent", "page_admin", "admin"] = "agent"
    """`page_admin`: of the conversation's page; `admin`: of the workspace, or a service."""


class Say(Action):
    """An answer to the customer."""

    text: Text | None = None
    attachments: Attachments = ()
    reply_to: Annotated[int, Field(ge=1, le=POSITION_MAX)] | None = None
    """Position of the message that it answers."""
    ticket: TicketChange | None = None
    """What it changes of the conversation's last ticket when it is accepted, as a quick reply may want."""
    asks: Annotated[tuple[Shared, ...], Field(max_length=len(get_args(Shared)))] = ()
    """What the customer is asked to share, by his channel's own means; what he shares fills his profile."""

    @model_validator(mode="after")
    def _says_something(self) -> Say:
        if not self.text and not self.attachments:
            raise ValueError("a message has a text or an attachment")
        if self.asks and (not self.text or len(self.text) > ASKING_CHARS_MAX or self.attachments):
            raise ValueError(f"a message that asks has a text of at most {ASKING_CHARS_MAX} characters alone")
        return self


class StartChat(Say):
    """Begin a chat with a visitor who is there, though nobody was asked, or go on with one that is over.

    Whoever does has the conversation, unless somebody else has it.
    """


class WriteNote(Action):
    """A note for colleagues."""

    text: Annotated[Text, Field(min_length=1)]
    mentions: Annotated[tuple[Slug, ...], Field(max_length=MENTIONS_MAX)] = ()


class MarkRead(Action):
    """I have read the transcript up to `position`."""

    position: Annotated[int, Field(ge=0, le=POSITION_MAX)]


class EndSession(Action):
    """The chat is over."""


class SetLabels(Action):
    """Tags and groups of the customer, added and taken away."""

    add_tags: Annotated[tuple[Label, ...], Field(max_length=LABELS_MAX)] = ()
    remove_tags: Annotated[tuple[Label, ...], Field(max_length=LABELS_MAX)] = ()
    add_groups: Annotated[tuple[Label, ...], Field(max_length=LABELS_MAX)] = ()
    remove_groups: Annotated[tuple[Label, ...], Field(max_length=LABELS_MAX)] = ()


class SetProfile(Action):
    """What we know of the customer: what is given changes, an empty text clears it."""

    name: Name | Literal[""] | None = None
    phone: Annotated[str, Field(max_length=40, pattern=CLEARED_OR_PLAIN)] | None = None
    email: Annotated[str, Field(max_length=254, pattern=CLEARED_OR_PLAIN)] | None = None
    birthday: date | Literal[""] | None = None
    gender: Literal["female", "male", "other", ""] | None = None
    address: Annotated[str, Field(max_length=500, pattern=NO_NUL_PATTERN)] | None = None


class Erase(Action):
    """Everything that was written in the conversation and is known of its customer is to be taken away."""


class TicketAction(Action):
    """What somebody wants a ticket to say: what is given changes, an empty subject and a null are cleared."""

    subject: Subject | None = None
    fields: Annotated[dict[Slug, FieldValue | None], Field(max_length=FIELDS_MAX)] = Field(
        default_factory=dict
    )


class OpenTicket(TicketAction):
    """The conversation's draft becomes a ticket; when it has none, another one is made."""


class Outreach(Action):
    """Reach the customer about one of the conversation's tickets by another means than the channel."""

    ticket: TicketNumber


class SendMail(Outreach):
    """Write an e-mail to the customer about one of the conversation's tickets."""

    subject: MailSubject | None = None
    """None: the ticket's."""
    text: Annotated[Text, Field(min_length=1)]
    attachments: Attachments = ()
    """Files that were sent here before: they go with it, or a link to what is too large does."""

    @model_validator(mode="after")
    def _has_files_of_ours(self) -> SendMail:
        if any(each.file is None for each in self.attachments):
            raise ValueError("an e-mail takes files that were sent here before, by their ids")
        return self


class PhoneOutreach(Outreach):
    """The same by phone."""

    field: Slug | None = None
    """Of the ticket's fields the one with the number; none: the customer's own number is taken."""


class SendSms(PhoneOutreach):
    """Send the customer an SMS about one of the conversation's tickets."""

    text: Annotated[Text, Field(min_length=1, max_length=SMS_CHARS_MAX)]


class StartCall(PhoneOutreach):
    """Call the customer about one of the conversation's tickets: the agent is rung first, then he."""

    agent_phone: Annotated[str, Field(min_length=1, max_length=40, pattern=NO_CONTROL_PATTERN)]
    """Where the agent is rung."""


class EditTicket(TicketAction):
    """Change one of the conversation's tickets."""

    ticket: TicketNumber
    status: StatusByHand | None = None
