"""notifications: what one agent must be told. Key: `agent:workspace/agent`."""

from __future__ import annotations

from uuid import UUID

from schemas.base import Channel, ConversationKey, InsideModel, Moment, PageId, Slug
from schemas.messages import MessageAttachment, MessageKind, Sender


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


class MessageNotice(Notice):
    """A customer wrote in a conversation of yours."""

    message: NoticeMessage
