"""actions: what agents do in a conversation, and intake's own timers. Key: `channel:account:user`."""

from __future__ import annotations

from uuid import UUID

from schemas.base import InsideModel, Moment, Slug


class SessionTimer(InsideModel):
    """The silence that ends a session may have come; ignored when the customer wrote meanwhile."""

    workspace: Slug
    conversation: UUID
    session: int
    due_at: Moment
