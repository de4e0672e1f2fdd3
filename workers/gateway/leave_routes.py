"""What an agent's leave would do: asked by who may ask for it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from schemas.base import Slug
from workers.gateway.asking import Who, address_of, gateway_of
from workers.gateway.conversations import agent_relations
from workers.gateway.problem import Problem, forbidden, not_found
from workers.gateway.queries.leave import LeavePreview, Then
from workers.gateway.rights import may

REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (401, 403, 404, 422, 429, 503)
}
router = APIRouter(tags=["agents"], responses=REFUSED)


@router.get("/agents/{agent}/leave/preview", operation_id="preview_leave")
async def preview_leave(request: Request, agent: Slug, identity: Who, then: Then = "next") -> LeavePreview:
    """What would become of what an agent holds, if he went on leave now, or for good (`then=next`)."""
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        desk = view.roster.desk_of.get(agent)
        if desk is None:
            raise not_found("unknown_agent", f"There is no agent {agent} in this workspace.")
        stands = agent_relations(identity.agent, agent, view.roster)
        if not may(identity, stands, "set_leave"):
            address = address_of(request)
            gateway.audit.refused(
                identity.workspace, identity.actor, address, "set_leave", "forbidden", agent
            )
            raise forbidden("You may not ask for this agent's leave.")
        return await gateway.leave_previews.preview(view.connection, identity.workspace, desk, agent, then)
