"""What an agent's leave would do: asked by who may ask for it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from schemas.base import Slug
from workers.gateway.asking import Who, gateway_of, refuse
from workers.gateway.conversations import agent_relations
from workers.gateway.problem import not_found, refusals
from workers.gateway.queries.leave import LeavePreview, Then, leave_preview
from workers.gateway.rights import may

router = APIRouter(tags=["agents"], responses=refusals(401, 403, 404, 422, 429, 503))


@router.get("/agents/{agent}/leave/preview", operation_id="preview_leave")
async def preview_leave(request: Request, agent: Slug, identity: Who, then: Then = "next") -> LeavePreview:
    """What would become of what an agent holds, if he went on leave now, or for good (`then=next`)."""
    gateway = gateway_of(request)
    async with gateway.foresight.turn(identity.actor), gateway.queries.view(identity) as view:
        desk = view.roster.desk_of.get(agent)
        if desk is None:
            raise not_found("unknown_agent", f"There is no agent {agent} in this workspace.")
        stands = agent_relations(identity.agent, agent, view.roster)
        if not may(identity, stands, "set_leave"):
            sentence = "You may not ask for this agent's leave."
            raise refuse(request, identity, "set_leave", agent, sentence)
        return await leave_preview(gateway.foresight, view, desk, agent, then)
