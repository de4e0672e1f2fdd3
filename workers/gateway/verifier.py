"""Who is behind a token. Another way to sign in is another `TokenVerifier`.

One for OpenID Connect would check the provider's signature (PyJWT's PyJWKClient), map issuer and subject
to an account, and return its Identity: nothing else of the gateway would change.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from asyncpg import Pool

from workers.gateway.identity import Identity
from workers.gateway.problem import Noted, unauthenticated
from workers.gateway.service_tokens import read_service_token, scopes_of
from workers.gateway.tokens import TOKEN_CHARS_MAX, Tokens, WrongTokenError

CACHED_S = 1.0
CACHED_MAX = 20_000

# An account's role and standing are Postgres's, not the token's: who is disabled is out within a second.
STANDING = """
SELECT account.role, account.agent_id
FROM account JOIN sign_in USING (workspace_id, login)
WHERE workspace_id = $1 AND login = $2 AND sign_in_id = $3 AND account.active AND ended_at IS NULL
    AND expires_at > now()
"""


class Verified(NamedTuple):
    """Who it is, and until when the token says so (none: it does not end by itself)."""

    identity: Identity
    until: datetime | None


class TokenVerifier(Protocol):
    """Tells who is behind a bearer token."""

    async def verify(self, token: str) -> Verified:
        """Raises ApiError 401 when the token is no good."""


class OwnTokens:
    """Our own: access tokens of people, tokens of services."""

    def __init__(self, pool: Pool, tokens: Tokens) -> None:
        self._pool = pool
        self._tokens = tokens
        # token → (who, time in seconds at which it was looked up), oldest first
        self._known: OrderedDict[str, tuple[Verified, float]] = OrderedDict()

    async def verify(self, token: str) -> Verified:
        """See TokenVerifier."""
        verified, looked_up_s = self._known.get(token, (None, 0.0))
        if verified is None or time.monotonic() - looked_up_s > CACHED_S:
            verified = await self._look_up(token)
            self._known[token] = (verified, time.monotonic())
            self._known.move_to_end(token)
            if len(self._known) > CACHED_MAX:
                self._known.popitem(last=False)
        if verified.until is not None and verified.until <= datetime.now(UTC):
            raise unauthenticated("The access token is too old: refresh it.")
        return verified

    async def _look_up(self, token: str) -> Verified:
        if len(token) > TOKEN_CHARS_MAX or not (token.isascii() and token.isprintable()):
            raise unauthenticated("The token is none of ours.")
        service = read_service_token(token)
        if service is not None:
            identity = Identity(service.workspace, "service", None, service.service)
            scopes = await scopes_of(self._pool, service)
            if scopes is None:
                raise unauthenticated("The service token is no good.", _noted(identity))
            return Verified(identity._replace(scopes=scopes), None)
        try:
            claims = self._tokens.read("access", token)
        except WrongTokenError as error:
            raise unauthenticated("The access token is no good, or too old: refresh it.") from error
        identity = await self._standing(claims.workspace, claims.login, claims.sign_in)
        return Verified(identity, claims.expires_at)

    async def _standing(self, workspace: str, login: str, sign_in: UUID) -> Identity:
        row = await self._pool.fetchrow(STANDING, workspace, login, sign_in)
        if row is None:
            noted = Noted("unauthenticated", workspace, f"login:{login}", proven=True)
            raise unauthenticated("This sign-in is over: sign in again.", noted)
        return Identity(workspace, row["role"], row["agent_id"], login, sign_in=sign_in)


def _noted(identity: Identity) -> Noted:
    return Noted("unauthenticated", identity.workspace, identity.actor)
