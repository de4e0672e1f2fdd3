"""Who a visitor is, as the website's own server proves it: by a JWT, or an HMAC of his id."""

from __future__ import annotations

import hmac
from typing import Any, NamedTuple
from urllib.parse import quote

import jwt

from workers.channels.fields import name as one_line
from workers.channels.signature import same

VERIFIED = "v."
"""How the ids of such visitors begin: none of them can be an anonymous one's."""
USER_CHARS_MAX = 128
LEEWAY_S = 60
_PLAIN = "@.+-_~"


class NotVerifiedError(Exception):
    """It is no proof; the text says why, for whoever builds the website."""


class EndedProofError(NotVerifiedError):
    """It proves who somebody was: its time is over."""

    def __init__(self, user: str) -> None:
        super().__init__("The identity's token is not taken: its time is over.")
        self.user = user


class Visitor(NamedTuple):
    """A customer of a site, by his id there."""

    user: str
    name: str | None = None
    """As the website's server has signed it."""


def by_token(secret: str | None, token: str) -> Visitor:
    """The visitor whom a JWT names: HS256 with the site's secret, `sub`, `exp`, perhaps `name`.

    Raises EndedProofError when nothing but its time is wrong with it, else NotVerifiedError.
    """
    if secret is None:
        raise NotVerifiedError("The site takes no tokens: it has no secret.")
    try:
        claims = _claims(secret, token)
    except jwt.ExpiredSignatureError as error:
        raise EndedProofError(_user(_claims(secret, token, verify_exp=False)["sub"])) from error
    return Visitor(_user(claims["sub"]), one_line(claims.get("name")))


def by_digest(secret: str | None, id_: str, digest: str) -> Visitor:
    """The visitor with this id: `digest` is the hex HMAC-SHA256 of it under the site's secret for hashes.

    It is good for ever, and signs no name: the token is better. Raises NotVerifiedError.
    """
    if secret is None:
        raise NotVerifiedError("The site takes no hashes: it has no hash_secret.")
    if not same(digest.lower(), hmac.digest(secret.encode(), id_.encode(), "sha256").hex()):
        raise NotVerifiedError("The identity's hash is not its HMAC-SHA256 under the site's hash_secret.")
    return Visitor(_user(id_))


def _claims(key: str, token: str, *, verify_exp: bool = True) -> dict[str, Any]:
    """Raises jwt.ExpiredSignatureError, and NotVerifiedError for all else that is wrong."""
    try:
        return jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            leeway=LEEWAY_S,
            options={"require": ["sub", "exp"], "verify_exp": verify_exp},
        )
    except jwt.ExpiredSignatureError:
        raise
    except jwt.InvalidTokenError as error:
        raise NotVerifiedError(f"The identity's token is not taken: {error}.") from error


def _user(id_: str) -> str:
    """The website's id of him as ours: without colons and control characters, and no two become the same."""
    user = VERIFIED + quote(id_, safe=_PLAIN)
    if not id_ or len(user) > USER_CHARS_MAX:
        raise NotVerifiedError(f"The identity's id is empty, or longer than {USER_CHARS_MAX} characters.")
    return user
