"""Webhooks out, for the admins of a workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated

from asyncpg import Connection
from fastapi import APIRouter, Path, Query, Request

from schemas.base import Moment, Slug
from workers.gateway.asking import Who, gateway_of, refuse
from workers.gateway.identity import Identity
from workers.gateway.problem import ApiError, answering, refusals
from workers.gateway.rights import may
from workers.webhooks.administering import WebhookError, Webhooks
from workers.webhooks.endpoint import (
    ATTEMPTS_KEPT,
    Asked,
    Attempt,
    Created,
    Endpoint,
    NewEndpoint,
    Replay,
    Secret,
)

router = APIRouter(
    tags=["webhooks"], prefix="/webhooks", responses=refusals(401, 403, 404, 409, 422, 429, 503)
)
Id = Annotated[Slug, Path(description="The endpoint.")]

_STATUSES = {
    "unknown_webhook": HTTPStatus.NOT_FOUND,
    "webhook_exists": HTTPStatus.CONFLICT,
    "too_many_webhooks": HTTPStatus.CONFLICT,
    "webhooks_off": HTTPStatus.SERVICE_UNAVAILABLE,
}


class Tested(Asked):
    """A worker sends a test event: look for it among the attempts since then."""

    asked_at: Moment


@router.get("", operation_id="webhooks")
async def read_webhooks(request: Request, identity: Who) -> list[Endpoint]:
    """The endpoints of my workspace, and how each is doing."""
    async with _asked(request, identity) as (webhooks, connection):
        return await webhooks.all(connection, identity.workspace)


@router.post("", operation_id="add_webhook", status_code=HTTPStatus.CREATED)
async def add_webhook(request: Request, identity: Who, new: NewEndpoint) -> Created:
    """Have events told to a URL. The secret, with which they are signed, is shown only now."""
    async with _asked(request, identity) as (webhooks, connection):
        return await webhooks.add(connection, identity.workspace, new, identity.actor)


@router.get("/{webhook}", operation_id="webhook")
async def read_webhook(request: Request, identity: Who, webhook: Id) -> Endpoint:
    """How an endpoint is doing."""
    async with _asked(request, identity) as (webhooks, connection):
        return await webhooks.one(connection, identity.workspace, webhook)


@router.delete("/{webhook}", operation_id="remove_webhook", status_code=HTTPStatus.NO_CONTENT)
async def remove_webhook(request: Request, identity: Who, webhook: Id) -> None:
    """Tell it nothing more, and forget its place."""
    async with _asked(request, identity) as (webhooks, connection):
        await webhooks.remove(connection, identity.workspace, webhook)


@router.post("/{webhook}/pause", operation_id="pause_webhook")
async def pause_webhook(request: Request, identity: Who, webhook: Id) -> Endpoint:
    """Tell it nothing until it is resumed; it keeps its place."""
    async with _asked(request, identity) as (webhooks, connection):
        await webhooks.pause(connection, identity.workspace, webhook, identity.actor)
        return await webhooks.one(connection, identity.workspace, webhook)


@router.post("/{webhook}/resume", operation_id="resume_webhook")
async def resume_webhook(request: Request, identity: Who, webhook: Id) -> Endpoint:
    """Go on where it stands, at once: also what waits to be tried again."""
    async with _asked(request, identity) as (webhooks, connection):
        await webhooks.resume(connection, identity.workspace, webhook)
        return await webhooks.one(connection, identity.workspace, webhook)


@router.post("/{webhook}/replay", operation_id="replay_webhook")
async def replay_webhook(request: Request, identity: Who, webhook: Id, body: Replay) -> Endpoint:
    """Tell it again from another place on: what it has had comes with the same `webhook-id`."""
    async with _asked(request, identity) as (webhooks, connection):
        await webhooks.replay(connection, identity.workspace, webhook, body.from_)
        return await webhooks.one(connection, identity.workspace, webhook)


@router.post("/{webhook}/secret", operation_id="rotate_webhook_secret")
async def rotate_webhook_secret(request: Request, identity: Who, webhook: Id) -> Secret:
    """Draw another secret, shown only now. For 24 hours the one before signs too."""
    async with _asked(request, identity) as (webhooks, connection):
        return await webhooks.rotate(connection, identity.workspace, webhook)


@router.post("/{webhook}/test", operation_id="test_webhook", status_code=HTTPStatus.ACCEPTED)
async def test_webhook(request: Request, identity: Who, webhook: Id) -> Tested:
    """Send it a test event, also while it is paused."""
    async with _asked(request, identity) as (webhooks, connection):
        return Tested(asked_at=await webhooks.test(connection, identity.workspace, webhook))


@router.get("/{webhook}/attempts", operation_id="webhook_attempts")
async def read_attempts(
    request: Request, identity: Who, webhook: Id, limit: Annotated[int, Query(ge=1, le=ATTEMPTS_KEPT)] = 50
) -> list[Attempt]:
    """The last attempts to tell it something, the newest first."""
    async with _asked(request, identity) as (webhooks, connection):
        return await webhooks.attempts(connection, identity.workspace, webhook, limit)


@asynccontextmanager
async def _asked(request: Request, identity: Identity) -> AsyncIterator[tuple[Webhooks, Connection]]:
    """What an admin needs. Raises ApiError when it is none who asks, and for what is refused or down."""
    gateway = gateway_of(request)
    if not may(identity, (), "manage_webhooks"):
        subject = str(request.path_params.get("webhook", ""))
        sentence = "Only an admin of the workspace may do this."
        raise refuse(request, identity, "manage_webhooks", subject, sentence)
    with answering():
        try:
            async with gateway.connection() as connection:
                yield gateway.webhooks, connection
        except WebhookError as error:
            status = _STATUSES.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)
            raise ApiError(status, error.code, str(error)) from error
