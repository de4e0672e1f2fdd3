"""What was refused, for the admins of a workspace."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from workers.gateway.asking import Who, address_of, gateway_of
from workers.gateway.problem import Problem, forbidden
from workers.gateway.queries.refusals import Attempts, Wanted, read_refusals

REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (401, 403, 422, 429, 503)
}
router = APIRouter(tags=["audit"], responses=REFUSED)


@router.get("/audit", operation_id="audit")
async def read_audit(request: Request, identity: Who, wanted: Annotated[Wanted, Query()]) -> Attempts:
    """Refused attempts in my workspace, the latest first: sign-ins, networks, rights. For its admins.

    With the code `done` also which addresses were blocked and let in, by the ids of the blacklist.
    """
    gateway = gateway_of(request)
    if identity.role != "admin":
        gateway.audit.refused(identity.workspace, identity.actor, address_of(request), "audit", "forbidden")
        raise forbidden("Only an admin of the workspace reads what was refused.")
    async with gateway.queries.view(identity) as view:
        return await read_refusals(view.connection, identity.workspace, wanted)
