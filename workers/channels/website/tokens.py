"""Who comes back: an anonymous visitor by the id drawn at his first visit, or one who was verified."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import jwt

AUDIENCE = "tongdai/visitor"
ANONYMOUS = "a."
"""How the ids of such visitors begin."""
DAY_S = 86_400
VERIFIED_S = DAY_S
"""Such a token is only for the life of a document, in which the proof soon is too old: it is good for so long
after the proof, and only beside it."""


class VisitorTokens:
    """Signs with the first key, and takes what any of them has signed.

    Args:
        keys: at least one, of at least 32 bytes each.
        days: how long an anonymous visitor who stays away is known again.
    """

    def __init__(self, keys: Sequence[str], days: float) -> None:
        self._keys = keys
        self._life_s = int(days * DAY_S)

    def draw(self) -> str:
        """The id of a new visitor, which nobody can guess."""
        return ANONYMOUS + secrets.token_urlsafe(16)

    def issue(self, site: str, user: str) -> str:
        """A token for this visitor of this site."""
        now_s = int(time.time())
        life_s = self._life_s if user.startswith(ANONYMOUS) else VERIFIED_S
        claims = {"aud": AUDIENCE, "sub": user, "site": site, "iat": now_s, "exp": now_s + life_s}
        return jwt.encode(claims, self._keys[0], algorithm="HS256")

    def read(self, site: str, token: str) -> str | None:
        """Whose token it is; none: it is none of ours, of another site, or its time is over."""
        for key in self._keys:
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    audience=AUDIENCE,
                    options={"require": ["aud", "sub", "exp"]},
                )
            except jwt.InvalidTokenError:
                continue
            return str(claims["sub"]) if claims.get("site") == site else None
        return None
