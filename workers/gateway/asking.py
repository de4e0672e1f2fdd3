"""Who asks: the bearer token, the address and the idempotency key of a request."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from workers.gateway.asker import Asker
from workers.gateway.gateway import Gateway
from workers.gateway.identity import Identity
from workers.gateway.problem import ApiError, answering, too_many, unauthenticated
from workers.gateway.verifier import Verified

KEY_PATTERN = r"^[ -~]+$"

_bearer = HTTPBearer(
    auto_error=False, description="An access token of /api/v1/sign-in, or a service's token."
)

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
IdempotencyKey = Annotated[
    str,
    Header(
        min_length=1,
        max_length=200,
        pattern=KEY_PATTERN,
        description="Chosen by the client, one for each request that it means. Repeating with it is "
        "safe for a day and gets the same outcome; the same key with another body is refused.",
    ),
]


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def address_of(request: Request) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else ""


def refuse(
    request: Request, identity: Identity, call: str, subject: str, sentence: str | None = None
) -> ApiError:
    """What refuses him a call on `subject`, which the audit remembers."""
    return gateway_of(request).audit.forbid(identity, address_of(request), call, subject, sentence)


async def verify(gateway: Gateway, token: str) -> Verified:
    """Who is behind a token. Raises ApiError when it is no good, or it cannot be known now."""
    with answering():
        return await gateway.verifier.verify(token)


def within_rate(gateway: Gateway, identity: Identity) -> None:
    """Count one request of this sender. Raises ApiError when he sends more than he may."""
    wait_s = gateway.agent_rate.take(identity.actor, time.monotonic())
    if wait_s:
        raise too_many("You send too many requests.", wait_s)


async def identify(request: Request, bearer: Bearer) -> Identity:
    """Who asks. Raises ApiError."""
    if bearer is None:
        raise unauthenticated("Send the header Authorization: Bearer <token>.")
    gateway = gateway_of(request)
    identity = (await verify(gateway, bearer.credentials)).identity
    request.state.identity = identity
    within_rate(gateway, identity)
    return identity


async def ask(
    request: Request, identity: Annotated[Identity, Depends(identify)], idempotency_key: IdempotencyKey
) -> Asker:
    """Who asks for a command. Raises ApiError."""
    return Asker(identity, address_of(request), idempotency_key)


Who = Annotated[Identity, Depends(identify)]
Asks = Annotated[Asker, Depends(ask)]
