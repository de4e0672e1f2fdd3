"""What an agent's leave would do, told before anybody asks for it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from schemas.asks import SetLeave
from workers.gateway.calls import LeaveBody, on_agent
from workers.gateway.foresight import PREVIEW, Foresight
from workers.gateway.queries.queries import View
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


async def leave_preview(foresight: Foresight, view: View, desk: str, agent: str, then: Then) -> LeavePreview:
    """What `agent` going on leave would do; whether it may be asked has been decided."""
    place = view.connection, view.identity.workspace, desk
    held = await held_by(*place, [agent])
    foreseen = None
    if await is_foreseeable(*place, held):
        body = LeaveBody(on_leave=True, then=then)
        command = on_agent(SetLeave, view.identity, desk, agent, PREVIEW, body)
        found = await foresight.of(view.connection, command, foresee)
        foreseen = Foreseen(**found._asdict())
    return LeavePreview(
        agent=agent,
        then=then,
        held=sum(one.held for one in held),
        talking=sum(one.talking for one in held),
        foreseen=foreseen,
    )
