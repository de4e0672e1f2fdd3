"""The blacklist: addresses that a page keeps out, and who is kept out at all.

Addresses stand in Postgres alone: the desk's log is kept for ever, and no place for them. Customers are
blocked by commands on that log; the list shows both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from asyncpg import Connection
from fastapi import APIRouter, Query, Request

from schemas.base import PageId
from workers.channels.network import Network, network_named
from workers.gateway.asking import Who, address_of, gateway_of, refuse
from workers.gateway.blacklist import rows
from workers.gateway.blacklist.entry import (
    BLOCKS_MAX,
    AddressBody,
    Blocked,
    Entries,
    Kind,
    Seen,
    Term,
)
from workers.gateway.blacklist.naming import has_addresses, to_be_blocked
from workers.gateway.conversations import Conversation
from workers.gateway.identity import Identity
from workers.gateway.problem import ApiError, answering, invalid, not_found, refusals
from workers.gateway.queries import cursor
from workers.gateway.queries.cursor import CURSOR_CHARS_MAX
from workers.gateway.queries.filters import Words
from workers.gateway.queries.queries import FIRST, View
from workers.gateway.queries.scope import scope_of
from workers.gateway.rights import Call, may
from workers.gateway.roster import Roster

LIST_MAX = 100

router = APIRouter(tags=["blacklist"], responses=refusals(401, 403, 404, 409, 422, 429, 503))


@router.get("/blacklist", operation_id="blacklist")
async def read_blacklist(
    request: Request,
    identity: Who,
    kind: Kind | None = None,
    page: PageId | None = None,
    q: Annotated[
        Words | None, Query(description="An address, or words of a customer's names, or his phone.")
    ] = None,
    after: Annotated[str | None, Query(max_length=CURSOR_CHARS_MAX, description="`next` before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = LIST_MAX,
) -> Entries:
    """Who is kept out of my pages: who did it, until when and why."""
    async with gateway_of(request).queries.view(identity) as (connection, _, roster, _):
        pages = [one for one in roster.admins if _may_at(identity, one, "see_blacklist", roster)]
        if (page is not None and page not in pages) or not pages:
            raise refuse(request, identity, "see_blacklist", page or "")
        found = await rows.read_list(
            connection,
            identity.workspace,
            pages if page is None else [page],
            kind,
            q,
            _named(request, q),
            FIRST if after is None else cursor.read(after),
            limit + 1,
        )
    shown = tuple(found[:limit])
    last = shown[-1] if len(found) > limit else None
    return Entries(entries=shown, next=last and cursor.write(rows.place_of(last)))


@router.post("/blacklist/addresses", operation_id="add_address_block")
async def add_address(request: Request, identity: Who, body: AddressBody) -> Blocked:
    """Keep an address, or a network, out of a website. The same again counts from now."""
    async with _working(request, identity) as (connection, _, roster, _):
        if body.page not in roster.desk_of_page:
            raise not_found("unknown_page", f"There is no page {body.page} in this workspace.")
        if not _may_at(identity, body.page, "block_address", roster):
            raise refuse(request, identity, "block_address", body.page)
        network = _network(request, body)
        return await _block(connection, request, identity, body.page, str(network), body, None)


@router.delete(
    "/blacklist/addresses/{block}", operation_id="remove_address_block", status_code=HTTPStatus.NO_CONTENT
)
async def remove_address(request: Request, identity: Who, block: UUID) -> None:
    """Let an address in again."""
    async with _working(request, identity) as (connection, _, roster, _):
        entry = await rows.read(connection, identity.workspace, block)
        if entry is None:
            raise _unknown_block()
        if not _may_at(identity, entry.page, "unblock_address", roster):
            raise refuse(request, identity, "unblock_address", entry.page)
        await rows.remove(connection, _by(request, identity), entry.page, block=entry.id)


@router.get("/conversations/{conversation}/address", operation_id="address")
async def read_address(request: Request, identity: Who, conversation: UUID) -> Seen:
    """From where a website's visitor came last, and how many known visitors a block concerns."""
    async with gateway_of(request).queries.view(identity) as view:
        await _conversation(request, view, conversation, "block_address")
        return await _last_seen(view.connection, identity, conversation)


@router.put("/conversations/{conversation}/address-block", operation_id="block_address")
async def block_address(
    request: Request, identity: Who, conversation: UUID, body: Term | None = None
) -> Blocked:
    """Keep the address out from which its visitor came last: no window for anybody there. Again: from now.

    What was blocked elsewhere stays whose it is, for at least as long.
    """
    async with _working(request, identity) as view:
        found = await _conversation(request, view, conversation, "block_address")
        seen = await _last_seen(view.connection, identity, conversation)
        term = body or Term()
        return await _block(view.connection, request, identity, found.page, seen.address, term, conversation)


@router.delete(
    "/conversations/{conversation}/address-block",
    operation_id="unblock_address",
    status_code=HTTPStatus.NO_CONTENT,
)
async def unblock_address(request: Request, identity: Who, conversation: UUID) -> None:
    """Let in again what was blocked from here; other blocks are in the blacklist of the page's admins."""
    async with _working(request, identity) as view:
        found = await _conversation(request, view, conversation, "unblock_address")
        by = _by(request, identity)
        if not await rows.remove(view.connection, by, found.page, conversation=conversation):
            raise _unknown_block()


async def _block(
    connection: Connection,
    request: Request,
    identity: Identity,
    page: str,
    network: str,
    term: Term,
    conversation: UUID | None,
) -> Blocked:
    id_ = await rows.put(connection, _by(request, identity), page, network, term, conversation)
    entry = id_ and await rows.read(connection, identity.workspace, id_)
    if entry is None:
        sentence = f"A page keeps at most {BLOCKS_MAX} addresses out: let some in, or block their network."
        raise ApiError(HTTPStatus.CONFLICT, "too_many_blocks", sentence)
    visitors = await rows.count_visitors(connection, identity.workspace, page, network)
    return Blocked(entry=entry, visitors=visitors)


async def _conversation(request: Request, view: View, id_: UUID, call: Call) -> Conversation:
    return await gateway_of(request).queries.conversation(view, id_, address_of(request), call)


async def _last_seen(connection: Connection, identity: Identity, conversation: UUID) -> Seen:
    found = await rows.read_last_seen(connection, identity.workspace, conversation)
    if found is None:
        sentence = "It is not known (any more) from where its customer came: he is no visitor of a website?"
        raise not_found("unknown_address", sentence)
    return found


def _network(request: Request, body: AddressBody) -> Network:
    """What is to be kept out. Raises ApiError."""
    if not has_addresses(body.page):
        raise invalid([{"loc": ("body", "page"), "msg": "only visitors of websites come from addresses"}])
    try:
        return to_be_blocked(body.address, gateway_of(request).ipv6_prefix)
    except ValueError as error:
        raise invalid([{"loc": ("body", "address"), "msg": str(error)}]) from error


def _named(request: Request, q: str | None) -> Network | None:
    """The network that is searched for; none: it is a name."""
    try:
        return None if q is None else network_named(q.strip(), gateway_of(request).ipv6_prefix)
    except ValueError:
        return None


def _may_at(identity: Identity, page: str, call: Call, roster: Roster) -> bool:
    """Whether he may do something with a page: he stands to it as to all its conversations."""
    mine: Collection[str] = ("administrator",) if identity.agent in roster.admins.get(page, ()) else ()
    return may(identity, mine, call)


@asynccontextmanager
async def _working(request: Request, identity: Identity) -> AsyncIterator[View]:
    """What a request works with. Raises ApiError when Postgres is away."""
    gateway = gateway_of(request)
    with answering():
        roster = await gateway.rosters.of(identity.workspace)
        async with gateway.connection() as connection:
            yield View(connection, scope_of(identity, roster), roster, identity)


def _by(request: Request, identity: Identity) -> rows.By:
    return rows.By(identity.workspace, identity.actor, address_of(request))


def _unknown_block() -> ApiError:
    return not_found("unknown_block", "No such address is kept out (any more).")
