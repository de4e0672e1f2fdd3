"""Changing a desk: one thing of it, or several in one act. Each is a command, written for one version."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.base import PageId, Slug
from schemas.commands import Amend, Removed, RosterParts
from schemas.definitions import RULES_MAX, Agent, Department, Page, Policy, Rule
from workers.gateway.asker import Asker
from workers.gateway.asking import Asks, gateway_of
from workers.gateway.command_routes import ANSWERS, answered
from workers.gateway.desks.changing import Version, call_of, exactly, named
from workers.gateway.problem import Problem, Responses

MOVED: Responses = {
    412: {"model": Problem, "description": "The roster has changed since: `details` tells its version."}
}
router = APIRouter(
    tags=["desks"], prefix="/desks/{desk}", responses=ANSWERS | MOVED, default_response_class=Response
)
Before = Annotated[
    Slug | None, Query(description="The rule before which it comes; none: at its place, or last.")
]


class RuleOrder(BaseModel):
    """All rules of the desk, in the order in which they are tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=RULES_MAX)]


@router.post("/amend", operation_id="amend_desk")
async def amend_desk(
    request: Request, desk: Slug, asker: Asks, version: Version, body: RosterParts
) -> Response:
    """Several parts in one act: all of them or none."""
    return await _changed(request, desk, asker, version, await exactly(request, body))


@router.put("/rules", operation_id="order_rules")
async def order_rules(
    request: Request, desk: Slug, asker: Asks, version: Version, body: RuleOrder
) -> Response:
    """In which order the rules are tried."""
    return await _changed(request, desk, asker, version, RosterParts(order=body.order))


@router.put("/rules/{rule}", operation_id="put_rule")
async def put_rule(
    request: Request, desk: Slug, rule: Slug, asker: Asks, version: Version, body: Rule, before: Before = None
) -> Response:
    """Write a rule, new or instead of what it was."""
    said = named(await exactly(request, body), rule)
    return await _changed(request, desk, asker, version, RosterParts(rules=(said,), before=before))


@router.delete("/rules/{rule}", operation_id="remove_rule")
async def remove_rule(request: Request, desk: Slug, rule: Slug, asker: Asks, version: Version) -> Response:
    """Take a rule out: who waits for it is dealt by the others."""
    return await _changed(request, desk, asker, version, RosterParts(removed=Removed(rules=(rule,))))


@router.put("/departments/{department}", operation_id="put_department")
async def put_department(
    request: Request, desk: Slug, department: Slug, asker: Asks, version: Version, body: Department
) -> Response:
    """Write a department, and who is of it, new or instead of what it was."""
    said = named(await exactly(request, body), department)
    return await _changed(request, desk, asker, version, RosterParts(departments=(said,)))


@router.delete("/departments/{department}", operation_id="remove_department")
async def remove_department(
    request: Request, desk: Slug, department: Slug, asker: Asks, version: Version
) -> Response:
    """Take a department out that no rule names any more."""
    removed = Removed(departments=(department,))
    return await _changed(request, desk, asker, version, RosterParts(removed=removed))


@router.put("/agents/{agent}", operation_id="put_agent")
async def put_agent(
    request: Request, desk: Slug, agent: Slug, asker: Asks, version: Version, body: Agent
) -> Response:
    """Write what an agent is called and takes, new or instead of what it was; leave has its own call."""
    said = named(await exactly(request, body), agent)
    return await _changed(request, desk, asker, version, RosterParts(agents=(said,)))


@router.delete("/agents/{agent}", operation_id="remove_agent")
async def remove_agent(request: Request, desk: Slug, agent: Slug, asker: Asks, version: Version) -> Response:
    """Take an agent out whom nothing names any more: what he holds goes to others."""
    return await _changed(request, desk, asker, version, RosterParts(removed=Removed(agents=(agent,))))


@router.put("/pages/{page}", operation_id="put_page")
async def put_page(
    request: Request, desk: Slug, page: PageId, asker: Asks, version: Version, body: Page
) -> Response:
    """Write what a page is called, who administers it and what it says by itself."""
    said = named(await exactly(request, body), page)
    return await _changed(request, desk, asker, version, RosterParts(pages=(said,)))


@router.put("/policy", operation_id="put_policy")
async def put_policy(request: Request, desk: Slug, asker: Asks, version: Version, body: Policy) -> Response:
    """Say anew what holds for the whole desk, all of it: what is left out is as usual."""
    said = await exactly(request, body)
    return await _changed(request, desk, asker, version, RosterParts(policy=said))


async def _changed(request: Request, desk: str, asker: Asker, version: int, parts: RosterParts) -> Response:
    """Send it, and answer when its outcome is known. Raises ApiError."""
    gateway, call = gateway_of(request), call_of(parts)
    said = {**dict(parts), "version": version}
    sending = gateway.commanding.desk(asker, call, desk, Amend, said)
    return await answered(gateway, "amend", asker.key, sending)
