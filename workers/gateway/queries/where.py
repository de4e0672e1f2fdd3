"""Of which conversation something is read, for whom."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection

from workers.gateway.queries.scope import Scope


class Where(NamedTuple):
    """Whether he may read it has been decided."""

    connection: Connection
    scope: Scope
    conversation: UUID
    desk: str

    @property
    def place(self) -> tuple[str, UUID]:
        """Workspace and conversation, as statements have them first."""
        return self.scope.workspace, self.conversation
