"""Who a visitor is, as the website's own server proves it: by a JWT, or an HMAC of his id."""

from __future__ import annotations

import hmac
from typing import NamedTuple
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


class Visitor(NamedTuple):
    """A customer of a site, by his id there."""

    user: str
    name: str | None = None
    """As the website's server has signed it."""


def by_token(secret: str | None, token: str) -> Visitor:
    """The visitor whom a JWT names: HS256 with the site's secret, `sub`, `exp`, perhaps `name`.

    Raises NotVerifiedError.
    """
    key = _known(secret)
    try:
        claims = jwt.decode(
            token, key, algorithms=["HS256"], leeway=LEEWAY_S, options={"require": ["sub", "exp"]}
        )
    except jwt.InvalidTokenError as error:
        raise NotVerifiedError(f"The identity's token is not taken: {error}.") from error
    return Visitor(_user(claims["sub"]), one_line(claims.get("name")))


def by_digest(secret: str | None, id_: str, digest: str) -> Visitor:
    """The visitor with this id: `digest` is the hex HMAC-SHA256 of it under the site's secret.

    It is good for ever, and signs no name: the token is better. Raises NotVerifiedError.
    """
    if not same(digest.lower(), hmac.digest(_known(secret).encode(), id_.encode(), "sha256").hex()):
        raise NotVerifiedError(
            "The identity's hash is not the HMAC-SHA256 of its id under the site's secret."
        )
    return Visitor(_user(id_))


def _known(secret: str | None) -> str:
    if secret is None:
        raise NotVerifiedError("The site has no secret: its visitors are anonymous.")
    return secret


def _user(id_: str) -> str:
    """The website's id of him as ours: without colons and control characters, and no two become the same."""
    user = VERIFIED + quote(id_, safe=_PLAIN)
    if not id_ or len(user) > USER_CHARS_MAX:
        raise NotVerifiedError(f"The identity's id is empty, or longer than {USER_CHARS_MAX} characters.")
    return user
