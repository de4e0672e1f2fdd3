"""What was refused, for the admins of a workspace."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from workers.gateway.asking import Who, gateway_of, refuse
from workers.gateway.problem import refusals
from workers.gateway.queries.refusals import Attempts, Wanted, read_refusals

router = APIRouter(tags=["audit"], responses=refusals(401, 403, 422, 429, 503))


@router.get("/audit", operation_id="audit")
async def read_audit(request: Request, identity: Who, wanted: Annotated[Wanted, Query()]) -> Attempts:
    """Refused attempts in my workspace, the latest first: sign-ins, networks, rights. For its admins.

    With the code `done` also which addresses were blocked and let in, by the ids of the blacklist.
    """
    if identity.role != "admin":
        sentence = "Only an admin of the workspace reads what was refused."
        raise refuse(request, identity, "audit", "", sentence)
    async with gateway_of(request).queries.view(identity) as view:
        return await read_refusals(view.connection, identity.workspace, wanted)
