"""Who asks."""

from __future__ import annotations

from typing import Literal, NamedTuple
from uuid import UUID

from schemas.ids import agent_key, service_key

Role = Literal["admin", "page_admin", "agent", "service"]
Scope = Literal["messages", "customers", "conversations", "roster", "orders"]
"""What a service may do: answer and mark; tags and profiles; who answers whom; capacity and leave;
link orders to customers."""


class Identity(NamedTuple):
    """A person who signed in, or another system with a token of its own."""

    workspace: str
    role: Role
    agent: str | None
    """In whose name; none: a service."""
    login: str = ""
    """Of a person's account; the id of a service."""
    scopes: frozenset[str] = frozenset()
    """Of a service."""
    sign_in: UUID | None = None

    @property
    def actor(self) -> str:
        """The word for him in commands, outcomes and the audit."""
        if self.agent is None:
            return service_key(self.workspace, self.login)
        return agent_key(self.workspace, self.agent)
