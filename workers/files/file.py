"""A file as it is known: what it is, to whom it belongs, where its bytes are. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from workers.files.kind import SHOWN_TYPES
from workers.files.link import Content
from workers.files.shrinking import needs_smaller

State = Literal["arriving", "wanted", "stored", "failed"]
"""`arriving`: somebody sends it to us; `wanted`: it is to be fetched from its channel."""
THUMBNAIL_TYPE = "image/jpeg"


class File(NamedTuple):
    """A row of `file`. What is none is not known before it is stored."""

    workspace: str
    id: str
    conversation: UUID | None
    """None: of a quick reply, for all conversations of the workspace."""
    message: UUID | None
    """The first one that has named it."""
    state: State
    reason: str | None
    type: str | None
    media_type: str | None
    name: str | None
    size_bytes: int | None
    width: int | None
    height: int | None
    has_thumbnail: bool
    created_at: datetime

    @property
    def key(self) -> str:
        """In the storage."""
        return key_of(self.workspace, self.id)

    @property
    def needs_smaller(self) -> bool:
        """Whether a platform that takes little gets the smaller copy, if one could be made."""
        return self.width is not None and needs_smaller(self.media_type, self.size_bytes or 0)

    @property
    def content(self) -> Content:
        """What a link to it gives, once it is stored."""
        is_shown = self.type in SHOWN_TYPES
        return Content(self.key, self.media_type or "", self.name or "", is_shown)

    @property
    def thumbnail(self) -> Content | None:
        """What a link to its thumbnail gives."""
        if not self.has_thumbnail:
            return None
        return Content(thumbnail_of(self.key), THUMBNAIL_TYPE, f"{self.name}.jpg", is_shown=True)

    def is_for(self, conversation: UUID) -> bool:
        """Whether it is here, for messages of that conversation."""
        return self.state == "stored" and self.conversation in (None, conversation)

    def may_be_named(self, conversation: UUID, unused_keep_s: float) -> bool:
        """Whether a new message of it may: one that no message has named in time is about to be forgotten."""
        is_used = self.message is not None or self.conversation is None
        age_s = (datetime.now(UTC) - self.created_at).total_seconds()
        return self.is_for(conversation) and (is_used or age_s < unused_keep_s)


def key_of(workspace: str, id_: str) -> str:
    """Where a file is in the storage."""
    return f"{workspace}/{id_[:2]}/{id_}"


def thumbnail_of(key: str) -> str:
    """Where its thumbnail is."""
    return f"{key}.thumbnail"


def smaller_of(key: str) -> str:
    """Where its smaller copy is."""
    return f"{key}.smaller"
