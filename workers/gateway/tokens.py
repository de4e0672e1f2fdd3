"""Access and refresh tokens: JWTs that name a sign-in. What it may do is asked of Postgres."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import jwt

ISSUER = "tongdai"
ALGORITHM = "HS256"
TOKEN_CHARS_MAX = 4_096
VISIBLE_PATTERN = r"^[!-~]+$"
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "ws", "sid", "gen"]


class Claims(NamedTuple):
    """What a token says."""

    workspace: str
    login: str
    sign_in: UUID
    generation: int
    """Of the refresh tokens of its sign-in; an access token's does not matter."""
    expires_at: datetime


class WrongTokenError(Exception):
    """A token is none of ours, is for something else, or is too old."""


class Tokens:
    """Signs and reads tokens.

    Args:
        key: at least 32 bytes; all gateways have the same.
        access_s, refresh_s: how long each kind is good.
    """

    def __init__(self, key: str, *, access_s: float, refresh_s: float) -> None:
        self._key = key
        self.access_s = access_s
        self.refresh_s = refresh_s

    def access(self, workspace: str, login: str, sign_in: UUID) -> str:
        """A new access token."""
        return self._sign("access", Claims(workspace, login, sign_in, 0, _in(self.access_s)))

    def refresh(self, claims: Claims) -> str:
        """The refresh token of this generation: the same whenever it is asked for."""
        return self._sign("refresh", claims)

    def read(self, kind: Literal["access", "refresh"], token: str) -> Claims:
        """What `token` says. Raises WrongTokenError."""
        try:
            said = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=kind,
                issuer=ISSUER,
                options={"require": _REQUIRED},
            )
            return Claims(
                str(said["ws"]),
                str(said["sub"]),
                UUID(said["sid"]),
                int(said["gen"]),
                datetime.fromtimestamp(said["exp"], UTC),
            )
        except (jwt.InvalidTokenError, ValueError, AttributeError, TypeError) as error:
            raise WrongTokenError(str(error)) from error

    def _sign(self, kind: str, claims: Claims) -> str:
        return jwt.encode(
            {
                "iss": ISSUER,
                "aud": kind,
                "iat": int(datetime.now(UTC).timestamp()),
                "exp": int(claims.expires_at.timestamp()),
                "sub": claims.login,
                "ws": claims.workspace,
                "sid": str(claims.sign_in),
                "gen": claims.generation,
            },
            self._key,
            algorithm=ALGORITHM,
        )


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
