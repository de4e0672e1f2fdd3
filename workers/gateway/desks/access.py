"""Who may look into a desk: admins of the workspace, and of its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from workers.gateway.asking import gateway_of, refuse
from workers.gateway.desks.relations import desk_relations
from workers.gateway.identity import Identity
from workers.gateway.problem import not_found
from workers.gateway.queries.queries import View
from workers.gateway.rights import Call, may


@asynccontextmanager
async def looking_into(
    request: Request, identity: Identity, desk: str, call: Call = "see_desk"
) -> AsyncIterator[View]:
    """What is there at this moment. Raises ApiError 404 or 403 when the desk is not his to `call` for."""
    async with gateway_of(request).queries.view(identity) as view:
        if desk not in view.roster.desks:
            raise not_found("unknown_desk", f"There is no desk {desk} in this workspace.")
        if not may(identity, desk_relations(identity.agent, desk, view.roster), call):
            raise refuse(request, identity, call, desk)
        yield view


def sees_desk(view: View, desk: str) -> bool:
    """Whether he may look into it."""
    return may(view.identity, desk_relations(view.identity.agent, desk, view.roster), "see_desk")
