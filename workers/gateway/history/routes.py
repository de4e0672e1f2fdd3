"""The paths of older messages: of one conversation, and of a whole page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from schemas.base import Moment, PageId
from schemas.ids import channel_of, user_of
from workers.channels.reading import fetches
from workers.channels.reading.fetches import EVERYBODY, Fetch
from workers.channels.reading.readers import CHANNELS
from workers.gateway.asking import Who, address_of, gateway_of, refuse
from workers.gateway.conversations import relations
from workers.gateway.history.older import Mark, Older, read_older
from workers.gateway.identity import Identity
from workers.gateway.problem import ApiError, answering, not_found, refusals
from workers.gateway.queries.queries import View
from workers.gateway.queries.transcript import MESSAGES_MAX
from workers.gateway.queries.where import Where
from workers.gateway.rights import Call, Relation, may
from workers.wording.word import LanguageCode

router = APIRouter(tags=["history"], responses=refusals(401, 403, 404, 409, 422, 429, 503))
Page = Annotated[PageId, Path(description="The page's id, `channel:account`.")]


class FetchSeen(BaseModel):
    """How the fetching of older messages stands."""

    page: str
    user: str | None
    """With whom, by the channel's id; null: with everybody."""
    state: Literal["waiting", "done", "failed", "stopped"]
    """`waiting`: it is under way."""
    reason: str | None
    """Why it waits longer than usual, or has failed; words as those of deliveries."""
    found: int
    """Messages that were read so far, those that were there already among them."""
    left_out: int
    """Conversations of everybody's that the channel did not give; the others were read."""
    asked_by: str
    asked_at: Moment
    changed_at: Moment


@router.get("/conversations/{conversation}/history", operation_id="history")
async def read_history(
    request: Request,
    conversation: UUID,
    identity: Who,
    before: Annotated[Mark | None, Query(description="`next` of the part before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MESSAGES_MAX)] = 50,
    language: LanguageCode = "vi",
) -> Older:
    """What was fetched of the time before: the last of it, or what was said before a mark."""
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        found = await gateway.queries.conversation(view, conversation, address_of(request))
        where = Where(view.connection, view.scope, conversation, found.desk)
        return await read_older(where, before, limit, language, gateway.files)


@router.post("/conversations/{conversation}/history-fetch", operation_id="fetch_history", status_code=202)
async def fetch_history(request: Request, conversation: UUID, identity: Who) -> FetchSeen:
    """Have older messages of this customer fetched from the channel. While that is under way it goes on."""
    page, user = await _of_conversation(request, conversation, identity)
    return await _start(request, identity, page, user)


@router.get("/conversations/{conversation}/history-fetch", operation_id="history_fetch")
async def read_fetch(request: Request, conversation: UUID, identity: Who) -> FetchSeen:
    """How that stands."""
    page, user = await _of_conversation(request, conversation, identity)
    async with gateway_of(request).queries.view(identity) as view:
        return _known(await fetches.read(view.connection, identity.workspace, page, user))


@router.post("/pages/{page}/history-fetch", operation_id="fetch_page_history", status_code=202)
async def fetch_page_history(request: Request, page: Page, identity: Who) -> FetchSeen:
    """Have older messages of all customers of a page fetched from the channel."""
    await _check_page(request, page, identity)
    return await _start(request, identity, page, EVERYBODY)


@router.get("/pages/{page}/history-fetches", operation_id="history_fetches")
async def read_page_fetches(request: Request, page: Page, identity: Who) -> list[FetchSeen]:
    """What is and was fetched of a page, the last asked for first."""
    await _check_page(request, page, identity)
    async with gateway_of(request).queries.view(identity) as view:
        found = await fetches.read_all(view.connection, identity.workspace, page)
        return [_seen(one) for one in found]


@router.delete("/pages/{page}/history-fetch", operation_id="stop_page_history")
async def stop_page_history(request: Request, page: Page, identity: Who) -> FetchSeen:
    """Fetch no more of it; what was read stays."""
    await _check_page(request, page, identity)
    with answering():
        async with gateway_of(request).connection() as connection:
            return _known(await fetches.stop(connection, identity.workspace, page, EVERYBODY))


async def _start(request: Request, identity: Identity, page: str, user: str) -> FetchSeen:
    if channel_of(page) not in CHANNELS:
        sentence = f"Older messages can be fetched on {' and '.join(CHANNELS)} alone."
        raise ApiError(HTTPStatus.CONFLICT, "unsupported", sentence)
    with answering():
        async with gateway_of(request).connection() as connection:
            return _known(await fetches.start(connection, identity.workspace, page, user, identity.actor))


async def _of_conversation(request: Request, id_: UUID, identity: Identity) -> tuple[str, str]:
    """Page and customer of a conversation of which he may have older messages fetched. Raises ApiError."""
    queries = gateway_of(request).queries
    async with queries.view(identity) as view:
        found = await queries.conversation(view, id_, address_of(request))
        stands = relations(identity.agent, found, view.roster)
        _check(request, identity, stands, "fetch_history", str(id_))
    return found.page, user_of(found.key)


async def _check_page(request: Request, page: str, identity: Identity) -> None:
    """Raises ApiError when the page is not there, or not his."""
    async with gateway_of(request).queries.view(identity) as view:
        if page not in view.roster.desk_of_page:
            raise not_found("unknown_page", f"There is no page {page} in this workspace.")
        _check(request, identity, _relations(view, page), "fetch_page_history", page)


def _relations(view: View, page: str) -> frozenset[Relation]:
    is_his = view.identity.agent is not None and view.identity.agent in view.roster.admins.get(page, ())
    return frozenset(("administrator",)) if is_his else frozenset()


def _check(
    request: Request, identity: Identity, stands: frozenset[Relation], call: Call, subject: str
) -> None:
    if not may(identity, stands, call):
        raise refuse(request, identity, call, subject, "You may not have older messages fetched here.")


def _known(found: Fetch | None) -> FetchSeen:
    if found is None:
        raise not_found("unknown_fetch", "Nobody has asked for older messages here.")
    return _seen(found)


def _seen(found: Fetch) -> FetchSeen:
    return FetchSeen(**found._asdict() | {"user": found.user or None})
