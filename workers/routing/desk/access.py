"""Who may do what in a conversation: its holder, its page's admins, those to whom it is offered."""

from __future__ import annotations

from schemas.commands import AskedCommand
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk


def administers(desk: Desk, command: AskedCommand, page: str) -> bool:
    """Whether who asks may act as the page's admin: one of its own, or one of the workspace."""
    entry = desk.roster.pages.get(page)
    is_own = entry is not None and entry.active and command.by in entry.definition.admins
    return is_own or command.authority == "admin"


def holds(command: AskedCommand, conversation: Conversation) -> bool:
    """Whether who asks is the one who answers the conversation."""
    return command.by is not None and command.by == conversation.holder
