"""The paths of all that is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import StringConstraints

from schemas.base import PageId
from schemas.tickets import NUMBER_MAX
from workers.gateway.asking import Who, address_of, gateway_of
from workers.gateway.problem import not_found, refusals
from workers.gateway.queries import (
    counts,
    cursor,
    detail,
    explaining,
    followed,
    lists,
    people,
    tickets,
    transcript,
)
from workers.gateway.queries.cursor import CURSOR_CHARS_MAX
from workers.gateway.queries.elsewhere import read_elsewhere
from workers.gateway.queries.filters import LIST_MAX, Asked, Filters, takes_page
from workers.gateway.queries.queries import FIRST, View
from workers.gateway.queries.scope import owns
from workers.gateway.queries.transcript import MESSAGES_MAX, POSITION_MAX
from workers.gateway.queries.where import Where
from workers.gateway.visitors import VisitorSeen
from workers.wording.word import LanguageCode

if TYPE_CHECKING:
    from workers.gateway.gateway import Gateway

router = APIRouter(responses=refusals(401, 403, 404, 422, 429, 503))
F = TypeVar("F")

Limit = Annotated[int, Query(ge=1, le=LIST_MAX)]
After = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=CURSOR_CHARS_MAX)] | None,
    Query(description="`next` of the page before."),
]
Position = Annotated[int | None, Query(ge=0, le=POSITION_MAX)]
Lines = Annotated[int, Query(ge=1, le=MESSAGES_MAX)]


@router.get("/pages", operation_id="pages", tags=["roster"])
async def read_pages(request: Request, identity: Who) -> list[people.PageSeen]:
    """The pages for which I work."""
    async with gateway_of(request).queries.view(identity) as view:
        return await people.read_pages(view.connection, view.scope, view.roster)


@router.get("/rules", operation_id="rules", tags=["roster"])
async def read_rules(request: Request, identity: Who) -> list[people.RuleSeen]:
    """The rules of my pages, and those by which I get conversations, in their order."""
    async with gateway_of(request).queries.view(identity) as view:
        return await people.read_rules(view.connection, view.scope, view.roster)


@router.get("/agents", operation_id="agents", tags=["roster"])
async def read_agents(request: Request, identity: Who) -> list[people.AgentSeen]:
    """The agents of my desk, with presence and load: to those who are online I may transfer."""
    async with gateway_of(request).queries.view(identity) as view:
        return await people.read_agents(view.connection, view.scope, identity, view.roster)


@router.get("/counts", operation_id="counts", tags=["lists"])
async def read_counts(request: Request, identity: Who) -> counts.Counts:
    """How much there is in each of my buckets and channels, exact."""
    async with gateway_of(request).queries.view(identity) as view:
        return await counts.read_counts(view.connection, view.scope, view.roster)


@router.get("/conversations", operation_id="conversations", tags=["lists"])
async def read_conversations(request: Request, identity: Who, asked: Annotated[Asked, Query()]) -> lists.Page:
    """A page of a list, the last written in first."""
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        online = _online(gateway, view, asked, is_asked=asked.order == "online_first")
        found = await lists.read_list(view.connection, view.scope, asked, online)
    gateway.visitors.mark(identity.workspace, found.conversations)
    return found


@router.get("/conversations/count", operation_id="count_conversations", tags=["lists"])
async def count_conversations(
    request: Request, identity: Who, filters: Annotated[Filters, Query()]
) -> lists.Amount:
    """How many a narrowed list has: exact up to 1,000."""
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        return await lists.count(view.connection, view.scope, filters, _online(gateway, view, filters))


@router.get("/visitors", operation_id="visitors", tags=["lists"])
async def read_visitors(
    request: Request, identity: Who, page: PageId | None = None, limit: Limit = 50
) -> list[VisitorSeen]:
    """Who is on a website of mine now and has never written: with them a chat can be begun."""
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        pages = [one for one in view.roster.desk_of_page if page in (None, one) and _is_mine(view, one)]
    return [VisitorSeen.of(one) for one in gateway.visitors.strangers(identity.workspace, pages, limit)]


@router.get("/customers/mine", operation_id="my_customers", tags=["lists"])
async def my_customers(
    request: Request, identity: Who, after: After = None, limit: Limit = 50, *, unread: bool = False
) -> lists.Page:
    """The customers whom I follow, the last interaction first."""
    begins = FIRST if after is None else cursor.read(after)
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        found = await followed.read_followed(view.connection, view.scope, begins, limit, unread=unread)
    gateway.visitors.mark(identity.workspace, found.conversations)
    return found


@router.get("/conversations/{conversation}", operation_id="conversation", tags=["conversations"])
async def read_conversation(
    request: Request, conversation: UUID, identity: Who, language: LanguageCode = "vi"
) -> detail.Detail:
    """A conversation: its customer, how things stand, and how they came to."""
    gateway = gateway_of(request)
    async with gateway.queries.view(identity) as view:
        await gateway.queries.conversation(view, conversation, address_of(request))
        also = await read_elsewhere(view, conversation)
        files = gateway.files
        found = await detail.read_detail(view.connection, view.scope, conversation, language, also, files)
    return _known(found)


@router.get("/conversations/{conversation}/explain", operation_id="explain", tags=["conversations"])
async def read_explanation(
    request: Request, conversation: UUID, identity: Who, language: LanguageCode = "vi"
) -> explaining.Explanation:
    """Why it is where it is, in words: how it stands, and the decisions that led there."""
    queries = gateway_of(request).queries
    async with queries.view(identity) as view:
        await queries.conversation(view, conversation, address_of(request))
        found = await explaining.explain(view.connection, view.scope, conversation, language)
    return _known(found)


@router.get("/conversations/{conversation}/messages", operation_id="messages", tags=["conversations"])
async def read_messages(
    request: Request,
    conversation: UUID,
    identity: Who,
    before: Position = None,
    after: Position = None,
    limit: Lines = 50,
    language: LanguageCode = "vi",
) -> transcript.Transcript:
    """The transcript: the last lines, or those before or after a position, log lines in my words."""
    queries = gateway_of(request).queries
    async with queries.view(identity) as view:
        found = await queries.conversation(view, conversation, address_of(request))
        where = Where(view.connection, view.scope, conversation, found.desk)
        wanted = transcript.wanted(before, after, limit)
        return await transcript.read_transcript(where, wanted, language, gateway_of(request).files)


@router.get("/tickets", operation_id="tickets", tags=["tickets"])
async def read_tickets(
    request: Request, identity: Who, asked: Annotated[tickets.TicketsAsked, Query()]
) -> tickets.Tickets:
    """My tickets that I may see still, and all of my pages, of one status: the last changed first."""
    async with gateway_of(request).queries.view(identity) as view:
        return await tickets.read_tickets(view, asked)


@router.get("/ticket-fields", operation_id="ticket_fields", tags=["tickets"])
async def read_ticket_fields(request: Request, identity: Who) -> list[tickets.DeskFields]:
    """What tickets can say beside their subjects, by desk."""
    async with gateway_of(request).queries.view(identity) as view:
        return await tickets.read_fields(view.connection, view.scope, identity, view.roster)


@router.get("/conversations/{conversation}/tickets", operation_id="conversation_tickets", tags=["tickets"])
async def read_conversation_tickets(
    request: Request,
    conversation: UUID,
    identity: Who,
    before: Annotated[int | None, Query(ge=1, le=NUMBER_MAX)] = None,
    limit: Annotated[int, Query(ge=1, le=tickets.LIST_MAX)] = 50,
) -> list[tickets.TicketSeen]:
    """The tickets of a conversation, the newest first, or those before a number."""
    queries = gateway_of(request).queries
    async with queries.view(identity) as view:
        await queries.conversation(view, conversation, address_of(request))
        place = view.connection, identity.workspace, conversation
        return await tickets.read_of_conversation(*place, before, limit)


@router.get(
    "/conversations/{conversation}/tickets/{ticket}/outreach",
    operation_id="ticket_outreach",
    tags=["tickets"],
)
async def read_ticket_outreach(
    request: Request,
    conversation: UUID,
    ticket: Annotated[int, Path(ge=1, le=NUMBER_MAX)],
    identity: Who,
    before: Position = None,
    limit: Lines = 50,
    language: LanguageCode = "vi",
) -> transcript.Transcript:
    """The e-mails, SMS and calls of a ticket, both ways: the last ones, or those before a position."""
    queries = gateway_of(request).queries
    async with queries.view(identity) as view:
        found = await queries.conversation(view, conversation, address_of(request))
        where = Where(view.connection, view.scope, conversation, found.desk)
        return await transcript.read_exchange(where, ticket, before, limit, language)


def _online(gateway: Gateway, view: View, filters: Filters, *, is_asked: bool = False) -> frozenset[UUID]:
    """The conversations whose visitors are there, of pages of which he may see any; if that is asked for."""
    if filters.online is None and not is_asked:
        return frozenset()
    pages = (one for one in view.scope.pages | view.scope.desk_pages if takes_page(filters, one))
    return gateway.visitors.known(view.scope.workspace, pages)


def _is_mine(view: View, page: str) -> bool:
    return owns(view.identity, page, view.roster) or view.identity.agent in view.roster.works_for(page)


def _known(found: F | None) -> F:
    """What was found of a conversation. Raises a 404 problem while its desk has not heard of it."""
    if found is None:
        raise not_found("unknown_conversation", "Its desk does not know this conversation yet: ask again.")
    return found
