"""What an agent's leave would do, told before anybody asks for it."""

from __future__ import annotations

from typing import Literal

from asyncpg import Connection
from pydantic import BaseModel

from schemas.asks import SetLeave
from workers.gateway.foresight import Foresight
from workers.routing.desk.preview import foresee, held_by, is_foreseeable

Then = Literal["keep", "pool", "next"]


class Foreseen(BaseModel):
    """What the desk would decide at this moment."""

    given: dict[str, int]
    """To whom how many would go at once."""
    offered: int
    waiting: int
    with_next_message: int
    """Those without an open session: their customers' next messages find somebody."""
    kept: int


class LeavePreview(BaseModel):
    """What an agent holds, without what is done, and what would become of it."""

    agent: str
    then: Then
    held: int
    talking: int
    """Of these those with an open session."""
    foreseen: Foreseen | None
    """None: there is too much to think it through."""


class LeavePreviews:
    """Thinks them through."""

    def __init__(self) -> None:
        self._foresight = Foresight()

    async def preview(
        self, connection: Connection, workspace: str, desk: str, agent: str, then: Then
    ) -> LeavePreview:
        """What `agent` going on leave would do; whether it may be asked has been decided."""
        held = await held_by(connection, workspace, desk, [agent])
        foreseen = None
        if await is_foreseeable(connection, workspace, desk, held):
            found = await self._foresight.of(connection, _leave(workspace, desk, agent, then), foresee)
            foreseen = Foreseen(**found._asdict())
        return LeavePreview(
            agent=agent,
            then=then,
            held=sum(one.held for one in held),
            talking=sum(one.talking for one in held),
            foreseen=foreseen,
        )


def _leave(workspace: str, desk: str, agent: str, then: Then) -> SetLeave:
    return SetLeave(
        workspace=workspace,
        desk=desk,
        actor="cli:preview",
        idempotency_key="preview",
        authority="admin",
        agent=agent,
        on_leave=True,
        then=then,
    )
