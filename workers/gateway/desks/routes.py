"""What desks consist of, for who may change it."""

from __future__ import annotations

from typing import TypeVar

from fastapi import APIRouter, Request, Response

from schemas.base import Slug
from schemas.commands import RosterParts
from workers.gateway.asking import Who, gateway_of
from workers.gateway.desks import parts
from workers.gateway.desks.access import looking_into, sees_desk
from workers.gateway.desks.changing import call_of, exactly
from workers.gateway.desks.previews import ChangePreview, change_preview
from workers.gateway.problem import Problem, Responses, refusals

WOULD_BE_REFUSED: Responses = {409: {"model": Problem, "description": "What the desk would refuse it with."}}
router = APIRouter(tags=["desks"], prefix="/desks", responses=refusals(401, 403, 404, 422, 429, 503))
P = TypeVar("P", bound=parts.DeskPart)


@router.get("", operation_id="desks")
async def read_desks(request: Request, identity: Who) -> parts.Desks:
    """The desks that I may look into, each with the version of its roster."""
    async with gateway_of(request).queries.view(identity) as view:
        mine = [desk for desk in sorted(view.roster.desks) if sees_desk(view, desk)]
        return parts.Desks(desks={desk: await parts.read_version(view, desk) for desk in mine})


@router.get("/{desk}/agents", operation_id="desk_agents")
async def read_agents(request: Request, response: Response, identity: Who, desk: Slug) -> parts.DeskAgents:
    """The agents, as they are defined."""
    async with looking_into(request, identity, desk) as view:
        return _tagged(response, await parts.read_agents(view, desk))


@router.get("/{desk}/departments", operation_id="desk_departments")
async def read_departments(
    request: Request, response: Response, identity: Who, desk: Slug
) -> parts.DeskDepartments:
    """The departments and who is of them."""
    async with looking_into(request, identity, desk) as view:
        return _tagged(response, await parts.read_departments(view, desk))


@router.get("/{desk}/pages", operation_id="desk_pages")
async def read_pages(request: Request, response: Response, identity: Who, desk: Slug) -> parts.DeskPages:
    """The pages that are mine, or for which I work."""
    async with looking_into(request, identity, desk) as view:
        return _tagged(response, await parts.read_pages(view, desk))


@router.get("/{desk}/rules", operation_id="desk_rules")
async def read_rules(request: Request, response: Response, identity: Who, desk: Slug) -> parts.DeskRules:
    """The rules of my pages, and those by which I get conversations, in the order in which they are tried."""
    async with looking_into(request, identity, desk) as view:
        return _tagged(response, await parts.read_rules(view, desk))


@router.get("/{desk}/policy", operation_id="desk_policy")
async def read_policy(request: Request, response: Response, identity: Who, desk: Slug) -> parts.DeskPolicy:
    """What holds for the whole desk: reasons, keyword lists, business hours and more."""
    async with looking_into(request, identity, desk) as view:
        return _tagged(response, await parts.read_policy(view, desk))


@router.post("/{desk}/amend/preview", operation_id="preview_amend", responses=WOULD_BE_REFUSED)
async def preview_amend(request: Request, identity: Who, desk: Slug, body: RosterParts) -> ChangePreview:
    """What a change would do now, to those who wait above all; nothing is changed."""
    said = await exactly(request, body)
    foresight = gateway_of(request).foresight
    async with (
        foresight.turn(identity.actor),
        looking_into(request, identity, desk, call_of(said)) as view,
    ):
        return await change_preview(foresight, view, desk, said)


def _tagged(response: Response, part: P) -> P:
    response.headers["etag"] = f'"{part.version}"'
    return part
