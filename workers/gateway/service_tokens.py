"""Tokens of other systems: long random words, of which only the digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from config.errors import TongdaiError
from workers.runtime.handler import Connection

PREFIX = "tds_"
ADD = """
INSERT INTO service_token (workspace_id, service_id, token_sha256, scopes, expires_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (workspace_id, service_id) DO UPDATE SET
    token_sha256 = excluded.token_sha256, scopes = excluded.scopes, expires_at = excluded.expires_at,
    created_at = now(), revoked_at = NULL
"""
REVOKE = """
UPDATE service_token SET revoked_at = now() WHERE workspace_id = $1 AND service_id = $2 RETURNING true
"""
READ = """
SELECT token_sha256, scopes FROM service_token
WHERE workspace_id = $1 AND service_id = $2 AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > now())
"""


class ServiceToken(NamedTuple):
    """What a token names, and the digest of its secret."""

    workspace: str
    service: str
    digest: bytes


async def add_service_token(
    connection: Connection, workspace: str, service: str, scopes: Sequence[str], expires_at: datetime | None
) -> str:
    """Draw the token of a service; the one before is no good any more. Returns it, for the only time."""
    secret = secrets.token_urlsafe(32)
    await connection.execute(ADD, workspace, service, _digest(secret), list(scopes), expires_at)
    return f"{PREFIX}{workspace}.{service}.{secret}"


async def revoke_service_token(connection: Connection, workspace: str, service: str) -> None:
    """Refuse the token of a service from now on. Raises TongdaiError when there is none."""
    if not await connection.fetchval(REVOKE, workspace, service):
        raise TongdaiError(f"There is no service {service} in {workspace}.")


def read_service_token(token: str) -> ServiceToken | None:
    """What a token names; none: it is of no such form."""
    match token.removeprefix(PREFIX).split("."):
        case [workspace, service, secret] if token.startswith(PREFIX):
            return ServiceToken(workspace, service, _digest(secret))
    return None


async def scopes_of(connection: Connection, token: ServiceToken) -> frozenset[str] | None:
    """What the service of this token may do; none: it is no good."""
    row = await connection.fetchrow(READ, token.workspace, token.service)
    if row is None or not secrets.compare_digest(row["token_sha256"], token.digest):
        return None
    return frozenset(row["scopes"])


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
