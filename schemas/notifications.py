"""notifications: what one agent, or an audience of agents, must be told.

Key: `agent:workspace/agent`, or `audience:workspace/` and the audience.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas.assignments import CareStatus, Means, Standing
from schemas.base import Channel, ConversationKey, InsideModel, Moment, PageId, Slug
from schemas.messages import MessageAttachment, MessageKind, Sender
from schemas.receipts import DeliveryReason

Parting = Literal["released", "taken_off", "refused", "on_leave", "agent_removed", "offline"]
"""How a conversation left its agent and went to nobody, as `unassigned` events say it."""
TransferEnding = Literal[
    "accepted", "rejected", "cancelled", "expired", "target_offline", "target_left", "overtaken"
]


class NoticeMessage(InsideModel):
    """The message a notice speaks of."""

    position: int
    sender: Sender
    kind: MessageKind
    text: str | None = None
    attachments: tuple[MessageAttachment, ...] = ()
    stored_at: Moment


class Notice(InsideModel):
    """What every notice says. `unread` counts the conversation's messages its agent has not read."""

    workspace: Slug
    notice: UUID
    agent: Slug
    conversation: UUID
    key: ConversationKey
    page: PageId
    channel: Channel
    seq: int
    epoch: int
    at: Moment
    unread: int


class AssignedNotice(Notice):
    """The conversation is yours; with its latest customer message."""

    message: NoticeMessage | None
    how: Means | None = None
    by: str | None = None
    """Who decided; none: the desk."""


class MessageNotice(Notice):
    """A customer wrote in a conversation that you hold or follow."""

    message: NoticeMessage


class MentionNotice(Notice):
    """A colleague names you in a note."""

    message: NoticeMessage
    by: str | None = None
    """The agent who wrote it."""


class FailedWords(InsideModel):
    """Why an answer has failed, and what its author can do."""

    text: str
    advice: str
    """Empty: nothing is to be done."""


class AnswerFailedNotice(Notice):
    """The channel did not take an answer of yours, and nothing more is tried.

    Tell it whatever `seq` you have seen: it speaks of no event of the chain; `seq` and `epoch` are those that
    the notifier had come to.
    """

    answer: UUID
    """The message in the transcript."""
    position: int
    reason: DeliveryReason | None
    words: dict[Literal["vi", "en"], FailedWords]


class ReturnedNotice(Notice):
    """A customer whom you follow is back: on the website, or with the first message of another session.

    Tell it whatever `seq` you have seen, as it speaks of no event of the chain.
    """

    session: int
    """The last one so far."""


class UnassignedNotice(Notice):
    """The conversation is not yours any more."""

    how: Parting | Means
    """Means: it went on to somebody else, or was reopened without you."""
    by: str | None = None
    to: Slug | None = None
    """Who has it now, if anybody."""


class TransferOfferedNotice(Notice):
    """A colleague offers you his conversation."""

    by: str
    holder: Slug
    to_department: Slug | None = None
    expires_at: Moment


class TransferEndedNotice(Notice):
    """The transfer you offered, or were asked to take, is over. Who has taken it is told by `assigned`."""

    how: TransferEnding
    colleague: Slug | None = None
    """Who has taken it, rejected it, gone offline or left."""
    holder: Slug | None


class CareChangedNotice(Notice):
    """Somebody else changed the care status of your conversation."""

    care: CareStatus
    former_care: CareStatus
    reason: Slug | None = None
    by: str


class ReadNotice(Notice):
    """You have read it up to `position`, perhaps on another device."""

    position: int


class AudienceNotice(InsideModel):
    """What every notice to an audience says: one record, however many belong to it."""

    workspace: Slug
    notice: UUID
    audience: str
    """As in the key, behind the workspace."""
    conversation: UUID
    key: ConversationKey
    page: PageId
    channel: Channel
    seq: int
    epoch: int
    at: Moment


class OfferedNotice(AudienceNotice):
    """Whoever of the audience is first to claim has it. Said again when the same offer changes."""

    rule: Slug | None = None
    agents: tuple[Slug, ...] = ()
    """Who is asked, when the event names them: at most 200."""
    unrouted: bool
    expires_at: Moment | None = None
    unread: int


class WithdrawnNotice(AudienceNotice):
    """The offer is over: it vanishes, with its unread count."""

    holder: Slug | None
    """Who has it now, if anybody."""


class ConversationChanged(AudienceNotice):
    """For lists that are watched: how things stand now. To `page:<page id>`, for the page's admins.

    At most one per conversation and batch: it speaks of the last event, those between are not told.
    """

    standing: Standing
    holder: Slug | None
    care: CareStatus
    unread: int


class PageWords(InsideModel):
    """How the page stands, and what its admin can do."""

    text: str
    advice: str
    """Empty: nothing is to be done."""


class PageNotice(AudienceNotice):
    """To `admins:<page id>`, whatever `seq` they have seen: it speaks of no event of the chain.

    The conversation is the one with whose message it was found; it holds for all of the page.
    """

    words: dict[Literal["vi", "en"], PageWords]


class PagePausedNotice(PageNotice):
    """Nothing is sent for your page until somebody has mended it. Said again for another reason only."""

    reason: DeliveryReason


class PageResumedNotice(PageNotice):
    """Your page sends again, what has waited first."""
