"""Quick replies: written by admins of the workspace, used by agents in their composers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from asyncpg import Connection
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from schemas.base import Slug
from workers.gateway.asking import Who, address_of, gateway_of, refuse
from workers.gateway.identity import Identity
from workers.gateway.problem import ApiError, answering, forbidden, not_found, refusals
from workers.gateway.queries.queries import View
from workers.gateway.quick_replies import rows
from workers.gateway.quick_replies.quick_reply import (
    QUICK_REPLIES_MAX,
    Department,
    Expanded,
    QuickReplies,
    QuickReply,
    QuickReplyBody,
)
from workers.gateway.quick_replies.variables import fill
from workers.gateway.rights import QuickReplyRelation, may
from workers.gateway.roster import Roster

LIST_MAX = 100

router = APIRouter(
    tags=["quick replies"], prefix="/quick-replies", responses=refusals(401, 403, 404, 409, 422, 429, 503)
)
Id = Annotated[Slug, Path(description="The quick reply.")]
After = Annotated[Slug | None, Query(description="`next` of the part before.")]


class ExpandBody(BaseModel):
    """For whom it is to be filled in."""

    model_config = ConfigDict(extra="forbid")

    conversation: UUID


@router.get("", operation_id="quick_replies")
async def read_quick_replies(
    request: Request,
    identity: Who,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = LIST_MAX,
) -> QuickReplies:
    """Those that I may use, by their ids."""
    async with gateway_of(request).queries.view(identity) as view:
        departments = _departments(identity, view.roster)
        place = identity.workspace, after or ""
        found = await rows.read_list(view.connection, *place, departments, limit + 1)
    shown = tuple(found[:limit])
    return QuickReplies(quick_replies=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/{quick_reply}", operation_id="quick_reply")
async def read_quick_reply(request: Request, identity: Who, quick_reply: Id) -> QuickReply:
    """One of those that I may use."""
    async with gateway_of(request).queries.view(identity) as view:
        return await _usable(request, view, quick_reply)


@router.put("/{quick_reply}", operation_id="put_quick_reply")
async def put_quick_reply(
    request: Request, identity: Who, quick_reply: Id, body: QuickReplyBody
) -> QuickReply:
    """Write a quick reply, new or instead of what it was. Unknown variables are refused."""
    async with _writing(request, identity, quick_reply, body.department) as connection:
        if not await rows.put(connection, identity.workspace, quick_reply, body, identity.actor):
            sentence = f"A workspace has at most {QUICK_REPLIES_MAX} quick replies."
            raise ApiError(HTTPStatus.CONFLICT, "too_many_quick_replies", sentence)
        return _known(await rows.read(connection, identity.workspace, quick_reply), quick_reply)


@router.delete("/{quick_reply}", operation_id="remove_quick_reply", status_code=HTTPStatus.NO_CONTENT)
async def remove_quick_reply(request: Request, identity: Who, quick_reply: Id) -> None:
    """Forget a quick reply."""
    async with _writing(request, identity, quick_reply) as connection:
        if not await rows.remove(connection, identity.workspace, quick_reply):
            raise _unknown(quick_reply)


@router.post("/{quick_reply}/expand", operation_id="expand_quick_reply")
async def expand_quick_reply(request: Request, identity: Who, quick_reply: Id, body: ExpandBody) -> Expanded:
    """Fill it in for a conversation that I may see. It sends nothing and changes nothing."""
    queries = gateway_of(request).queries
    async with queries.view(identity) as view:
        found = await _usable(request, view, quick_reply)
        conversation = await queries.conversation(view, body.conversation, address_of(request))
        agent = identity.agent or ""
        desks = conversation.desk, view.roster.desk_of.get(agent, "")
        known = await rows.read_known(
            view.connection, identity.workspace, conversation.id, desks[0], agent, desks[1]
        )
    if known is None:
        raise not_found("unknown_conversation", "Its customer is not known yet: ask again.")
    filled = fill(found.body, known)
    return Expanded(text=filled.text, empty=filled.empty, attachments=found.attachments, ticket=found.ticket)


async def _usable(request: Request, view: View, id_: str) -> QuickReply:
    """One that may be used by who asks. Raises ApiError 404 or 403."""
    identity = view.identity
    found = _known(await rows.read(view.connection, identity.workspace, id_), id_)
    if not may(identity, _relations(identity, found, view.roster), "use_quick_reply"):
        raise refuse(request, identity, "use_quick_reply", id_)
    return found


def _relations(identity: Identity, found: QuickReply, roster: Roster) -> frozenset[QuickReplyRelation]:
    """How somebody stands to a quick reply."""
    department = found.department
    place = None if department is None else (department.desk, department.id)
    is_for_him = identity.agent in roster.desk_of and (
        place is None or identity.agent in roster.members.get(place, ())
    )
    return frozenset(("permitted",)) if is_for_him else frozenset()


def _departments(identity: Identity, roster: Roster) -> Collection[rows.Place] | None:
    """Those whose quick replies he may use; none: of all. Raises ApiError when he may use nothing."""
    if may(identity, (), "use_quick_reply"):
        return None
    if identity.agent not in roster.desk_of:
        raise forbidden("You may not use quick replies.")
    return [place for place, members in roster.members.items() if identity.agent in members]


def _check_department(department: Department, roster: Roster) -> None:
    if (department.desk, department.id) not in roster.members:
        sentence = f"The desk {department.desk} has no department {department.id}."
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_department", sentence)


@asynccontextmanager
async def _writing(
    request: Request, identity: Identity, id_: str, department: Department | None = None
) -> AsyncIterator[Connection]:
    """A connection for who may write, if there is that department.

    Raises ApiError when he may not, there is none, or Postgres is away.
    """
    gateway = gateway_of(request)
    if not may(identity, (), "manage_quick_replies"):
        raise refuse(request, identity, "manage_quick_replies", id_)
    with answering():
        # Before a connection is taken: a roster takes one of the same pool.
        if department is not None:
            _check_department(department, await gateway.rosters.of(identity.workspace))
        async with gateway.connection() as connection:
            yield connection


def _known(found: QuickReply | None, id_: str) -> QuickReply:
    if found is None:
        raise _unknown(id_)
    return found


def _unknown(id_: str) -> ApiError:
    return not_found("unknown_quick_reply", f"There is no quick reply {id_} in this workspace.")
