"""Signing in and out, and refresh tokens that change with every use.

A refresh token that was used before is the sign of a stolen one: the whole sign-in ends. Two tabs that
refresh at once are no thieves: the last one but the current is good for some seconds more.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple
from uuid import uuid4

from asyncpg import Pool

from workers.gateway.attempts import attempt_succeeded, begin_attempt
from workers.gateway.passwords import Passwords
from workers.gateway.problem import ApiError, Noted, unauthenticated
from workers.gateway.tokens import Claims, Tokens, WrongTokenError

TOGETHER_S = 10.0
"""Refreshes with one token within this time are the same client's."""

ACCOUNT = "SELECT password_hash, active FROM account WHERE workspace_id = $1 AND login = $2"
ALLOWED = """
SELECT count(*) = 0 OR bool_or(network >>= $2) FROM sign_in_network WHERE workspace_id = $1
"""
BEGIN = """
INSERT INTO sign_in (workspace_id, sign_in_id, login, address, expires_at) VALUES ($1, $2, $3, $4, $5)
"""
ROTATE = """
UPDATE sign_in SET generation = generation + 1, rotated_at = now()
WHERE workspace_id = $1 AND sign_in_id = $2 AND generation = $3 AND ended_at IS NULL AND expires_at > now()
RETURNING generation
"""
TOGETHER = """
SELECT generation FROM sign_in
WHERE workspace_id = $1 AND sign_in_id = $2 AND generation = $3 + 1 AND ended_at IS NULL
    AND expires_at > now()
    AND rotated_at > now() - make_interval(secs => $4)
"""
END = """
UPDATE sign_in SET ended_at = now(), ended_why = $3
WHERE workspace_id = $1 AND sign_in_id = $2 AND ended_at IS NULL
"""
FORGET = "DELETE FROM sign_in WHERE expires_at < now() - interval '30 days'"

_WRONG = "The workspace, the login or the password is wrong."


class Granted(NamedTuple):
    """What a client gets."""

    access_token: str
    refresh_token: str
    expires_in_s: float


class SignIns:
    """Begins, continues and ends sign-ins."""

    def __init__(self, pool: Pool, tokens: Tokens) -> None:
        self._pool = pool
        self._tokens = tokens
        self._passwords = Passwords()

    async def sign_in(self, workspace: str, login: str, password: str, address: str) -> Granted:
        """Begin a sign-in. Raises ApiError, the same whether login or password is wrong."""
        named = workspace, f"login:{login}"
        wait_s = await begin_attempt(self._pool, workspace, login, address)
        if wait_s:
            raise _too_many(wait_s, Noted("too_many_attempts", *named))
        account = await self._pool.fetchrow(ACCOUNT, workspace, login)
        right = await self._passwords.verify(account and account["password_hash"], password)
        if not (right and account and account["active"]):
            raise unauthenticated(_WRONG, Noted("unauthenticated", *named))
        if not await self._may_come(workspace, address):
            raise unauthenticated(_WRONG, Noted("network", *named, True))
        await attempt_succeeded(self._pool, workspace, login, address)
        return await self._begin(workspace, login, address)

    async def refresh(self, token: str, address: str) -> Granted:
        """Continue a sign-in with its current refresh token. Raises ApiError."""
        try:
            claims = self._tokens.read("refresh", token)
        except WrongTokenError as error:
            raise unauthenticated("The refresh token is no good: sign in again.") from error
        of = claims.workspace, f"login:{claims.login}", True
        if not await self._may_come(claims.workspace, address):
            raise unauthenticated("The refresh token is no good here: sign in again.", Noted("network", *of))
        place = (claims.workspace, claims.sign_in, claims.generation)
        generation = await self._pool.fetchval(ROTATE, *place)
        generation = generation or await self._pool.fetchval(TOGETHER, *place, TOGETHER_S)
        if generation is None:
            await self._pool.execute(END, claims.workspace, claims.sign_in, "reused")
            sentence = "The refresh token was used before, or its sign-in is over: sign in again."
            raise unauthenticated(sentence, Noted("reused", *of))
        return self._granted(claims._replace(generation=generation))

    async def sign_out(self, token: str) -> None:
        """End the sign-in of a refresh token; one that is no good has none."""
        try:
            claims = self._tokens.read("refresh", token)
        except WrongTokenError:
            return
        await self._pool.execute(END, claims.workspace, claims.sign_in, "signed_out")

    async def forget(self) -> None:
        """Drop sign-ins that are over for long."""
        await self._pool.execute(FORGET)

    async def _begin(self, workspace: str, login: str, address: str) -> Granted:
        expires_at = datetime.now(UTC) + timedelta(seconds=self._tokens.refresh_s)
        claims = Claims(workspace, login, uuid4(), 1, expires_at)
        await self._pool.execute(BEGIN, workspace, claims.sign_in, login, address, expires_at)
        return self._granted(claims)

    def _granted(self, claims: Claims) -> Granted:
        access = self._tokens.access(claims.workspace, claims.login, claims.sign_in)
        return Granted(access, self._tokens.refresh(claims), self._tokens.access_s)

    async def _may_come(self, workspace: str, address: str) -> bool:
        return bool(await self._pool.fetchval(ALLOWED, workspace, _host(address)))


def _too_many(wait_s: float, noted: Noted) -> ApiError:
    sentence = f"There were too many wrong passwords. Wait {wait_s:.0f} s and try again."
    status = HTTPStatus.TOO_MANY_REQUESTS
    return ApiError(status, "too_many_attempts", sentence, retry_after_s=wait_s, noted=noted)


def _host(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The address for Postgres; who connects without one (a Unix socket) comes from nowhere."""
    try:
        host = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        host = ipaddress.ip_address("::")
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
        host = host.ipv4_mapped
    return ipaddress.ip_network(host)
