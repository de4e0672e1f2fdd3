"""Signing in, staying in, signing out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.base import NO_CONTROL_PATTERN, Slug
from workers.gateway.asking import Who, address_of, gateway_of
from workers.gateway.identity import Role
from workers.gateway.passwords import PASSWORD_CHARS_MAX
from workers.gateway.problem import answering, refusals
from workers.gateway.sign_in import Granted
from workers.gateway.tokens import TOKEN_CHARS_MAX, VISIBLE_PATTERN

router = APIRouter(tags=["sign-in"])

Token = Annotated[str, StringConstraints(min_length=1, max_length=TOKEN_CHARS_MAX, pattern=VISIBLE_PATTERN)]
REFUSED = refusals(401, 422, 503)


class Credentials(BaseModel):
    """Who wants to come in."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    workspace: Slug
    login: Annotated[
        str,
        StringConstraints(
            min_length=1, max_length=200, to_lower=True, strip_whitespace=True, pattern=NO_CONTROL_PATTERN
        ),
    ]
    password: Annotated[str, StringConstraints(min_length=1, max_length=PASSWORD_CHARS_MAX)]


class Refresh(BaseModel):
    """The refresh token that was granted last."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    refresh_token: Token


class Grant(BaseModel):
    """Tokens: the first for the header Authorization, the second for /refresh, once."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 - a word of RFC 6750
    expires_in_s: Annotated[int, Field(description="For how long the access token is good.")]


class Me(BaseModel):
    """Who I am."""

    workspace: str
    role: Role
    agent: str | None
    login: str
    scopes: tuple[str, ...]


@router.post("/sign-in", responses=refusals(401, 422, 429, 503))
async def sign_in(request: Request, credentials: Credentials) -> Grant:
    """Come in with a password. Wrong ones are answered alike, and later and later."""
    with answering():
        granted = await gateway_of(request).sign_ins.sign_in(
            credentials.workspace, credentials.login, credentials.password, address_of(request)
        )
    return _grant(granted)


@router.post("/refresh", responses=REFUSED)
async def refresh(request: Request, body: Refresh) -> Grant:
    """Stay in. A refresh token that comes a second time ends the whole sign-in, for it may be stolen."""
    with answering():
        return _grant(await gateway_of(request).sign_ins.refresh(body.refresh_token, address_of(request)))


@router.post("/sign-out", status_code=204, responses=REFUSED)
async def sign_out(request: Request, body: Refresh) -> None:
    """End the sign-in; its access tokens end with it, within a second."""
    with answering():
        await gateway_of(request).sign_ins.sign_out(body.refresh_token)


@router.get("/me", responses=REFUSED)
async def me(identity: Who) -> Me:
    """Who the token says I am."""
    return Me(
        workspace=identity.workspace,
        role=identity.role,
        agent=identity.agent,
        login=identity.login,
        scopes=tuple(sorted(identity.scopes)),
    )


def _grant(granted: Granted) -> Grant:
    return Grant(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        expires_in_s=int(granted.expires_in_s),
    )
