"""The paths of all commands, made from the table of calls."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from schemas import asks
from schemas.base import Slug
from workers.gateway.answers import Carried, Taken, response_of
from workers.gateway.asker import Asker, Sent
from workers.gateway.asking import KEY_PATTERN, Asks, Who, gateway_of
from workers.gateway.calls import (
    CONVERSATION_CALLS,
    Body,
    BulkBody,
    CapacityBody,
    ConversationCall,
    LeaveBody,
    TicketFieldsBody,
)
from workers.gateway.gateway import Gateway
from workers.gateway.problem import ApiError, Problem, Responses, not_found, refusals

router = APIRouter()

ANSWERS: Responses = {
    200: {"model": Carried, "description": "It was carried out."},
    202: {"model": Taken, "description": "It was taken; its outcome is not known yet."},
    **refusals(401, 403, 404, 413, 422, 429, 503),
    409: {"model": Problem, "description": "It was refused: why, and what would be allowed."},
}


async def answered(gateway: Gateway, call: str, key: str, sending: Awaitable[Sent]) -> Response:
    """Send a command, and answer when its outcome is known. Raises ApiError when it is refused."""
    begun_s = time.perf_counter()
    became = "unknown"
    try:
        with closing(await sending) as sent:
            outcome = await gateway.commanding.outcome(sent)
        response = response_of(outcome, key)
        became = "done" if outcome else "unknown"
    except ApiError as error:
        became = error.code
        raise
    finally:
        gateway.metrics.answers.labels(call, became).inc()
        gateway.metrics.answer_seconds.labels(call).observe(time.perf_counter() - begun_s)
    return response


def _conversation_endpoint(call: ConversationCall) -> Callable[..., Awaitable[Response]]:
    async def endpoint(
        request: Request, conversation: UUID, asker: Asker, body: Body | None = None
    ) -> Response:
        gateway, said = gateway_of(request), body or call.body()
        sending = gateway.commanding.conversation(asker, call, conversation, said)
        return await answered(gateway, call.name, asker.key, sending)

    named = [("request", Request), ("conversation", UUID), ("asker", Asks)]
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=of) for name, of in named
    ]
    fields = call.body.model_fields
    if fields:
        needed = any(field.is_required() for field in fields.values())
        default = inspect.Parameter.empty if needed else None
        annotation = call.body if needed else call.body | None
        parameters.append(
            inspect.Parameter("body", inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        )
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    endpoint.__doc__ = call.model.__doc__
    return endpoint


for _call in CONVERSATION_CALLS.values():
    router.add_api_route(
        f"/conversations/{{conversation}}/{_call.path}",
        _conversation_endpoint(_call),
        methods=[_call.method],
        name=_call.name,
        operation_id=_call.name,
        responses=ANSWERS,
        response_class=Response,
        tags=["conversations"],
    )


@router.post("/bulk", operation_id="bulk", responses=ANSWERS, response_class=Response, tags=["conversations"])
async def bulk(request: Request, asker: Asks, body: BulkBody) -> Response:
    """One thing about many conversations; the outcome names those that were refused."""
    gateway = gateway_of(request)
    return await answered(gateway, "bulk", asker.key, gateway.commanding.many(asker, body))


@router.put(
    "/agents/{agent}/capacity",
    operation_id="set_capacity",
    responses=ANSWERS,
    response_class=Response,
    tags=["agents"],
)
async def set_capacity(request: Request, agent: Slug, asker: Asks, body: CapacityBody) -> Response:
    """How many open sessions an agent may hold."""
    gateway = gateway_of(request)
    sending = gateway.commanding.agent(asker, "set_capacity", asks.SetCapacity, agent, body)
    return await answered(gateway, "set_capacity", asker.key, sending)


@router.put(
    "/agents/{agent}/leave",
    operation_id="set_leave",
    responses=ANSWERS,
    response_class=Response,
    tags=["agents"],
)
async def set_leave(request: Request, agent: Slug, asker: Asks, body: LeaveBody) -> Response:
    """An agent goes on leave or comes back."""
    gateway = gateway_of(request)
    sending = gateway.commanding.agent(asker, "set_leave", asks.SetLeave, agent, body)
    return await answered(gateway, "set_leave", asker.key, sending)


@router.put(
    "/desks/{desk}/ticket-fields",
    operation_id="set_ticket_fields",
    responses=ANSWERS,
    response_class=Response,
    tags=["tickets"],
)
async def set_ticket_fields(request: Request, desk: Slug, asker: Asks, body: TicketFieldsBody) -> Response:
    """What the tickets of a desk can say beside their subjects, until a workspace file says otherwise."""
    gateway = gateway_of(request)
    sending = gateway.commanding.desk(
        asker, "set_ticket_fields", desk, asks.SetTicketFields, {"fields": body.fields}
    )
    return await answered(gateway, "set_ticket_fields", asker.key, sending)


@router.get(
    "/outcomes/{key:path}",
    operation_id="outcome",
    responses={
        412: {"model": Problem, "description": "It was written for what has changed since."},
        **{status: answer for status, answer in ANSWERS.items() if status != 202},
    },
    response_class=Response,
    tags=["conversations"],
)
async def outcome(
    request: Request,
    key: Annotated[str, Path(min_length=1, max_length=200, pattern=KEY_PATTERN)],
    identity: Who,
) -> Response:
    """What became of a command of mine; 404 while it is not decided, and a day after it was."""
    commanding = gateway_of(request).commanding
    desks = await commanding.desks(identity.workspace)
    found = await commanding.stored(identity.workspace, desks, identity.actor, key)
    if not found:
        raise not_found("no_outcome", "No outcome of this key is known (yet, or any more).")
    return response_of(found[-1], key)
