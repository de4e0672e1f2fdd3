"""An answer that waits for the desk."""

from __future__ import annotations

from typing import NamedTuple

from schemas.actions import Say


class Reply(NamedTuple):
    """An agent's answer to a conversation that was offered, until the desk says whether he has it."""

    message: str
    """The id that it will have in the transcript."""
    number: int
    """1, 2, 3, … of those that wait in the conversation, as they were written."""
    claim: str
    """The idempotency key of the command that was sent for it, or for the one that it stands behind."""
    action: Say
    quoted: str | None
    """The channel's id of the message that it answers."""

    @property
    def sender(self) -> str | None:
        """Who wrote it."""
        return self.action.by
