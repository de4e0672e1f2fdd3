"""Links to files: whoever has one may read one file until the link ends. Signed with HMAC-SHA256."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import jwt

AUDIENCE = "tongdai/file"


class Content(NamedTuple):
    """What a link gives."""

    key: str
    """In the storage."""
    media_type: str
    name: str
    is_shown: bool
    """Whether a browser may show it in place."""


class ExpiredLinkError(Exception):
    """The link was ours, and its time is over."""


class Links:
    """Signs with the first key, and takes what any of them has signed.

    Args:
        keys: at least one, of at least 32 bytes each.
        life_s: a link is good for so long at most, and for half of it at least.
    """

    def __init__(self, keys: Sequence[str], life_s: float) -> None:
        self._keys = keys
        self._step_s = life_s / 2

    def lasting(self, life_s: float) -> Links:
        """The same for links with another life."""
        return Links(self._keys, life_s)

    def ends_s(self, now_s: float) -> int:
        """When a link ends that is made at `now_s`, both in seconds since 1970."""
        return int((now_s // self._step_s + 2) * self._step_s)

    def token(self, content: Content, now_s: float | None = None) -> str:
        """The end of a link's address. It stays the same for half of its life, so that browsers keep what
        they have fetched.
        """
        ends_s = self.ends_s(time.time() if now_s is None else now_s)
        said = {"aud": AUDIENCE, "exp": ends_s, "k": content.key, "t": content.media_type, "n": content.name}
        return jwt.encode(said | {"s": content.is_shown}, self._keys[0], algorithm="HS256")

    def read(self, token: str) -> tuple[Content, int] | None:
        """What it gives, and when it ends (seconds since 1970); none: it is none of ours.

        Raises ExpiredLinkError.
        """
        for key in self._keys:
            try:
                said = jwt.decode(
                    token, key, algorithms=["HS256"], audience=AUDIENCE, options={"require": ["aud", "exp"]}
                )
            except jwt.ExpiredSignatureError as error:
                raise ExpiredLinkError from error
            except jwt.InvalidTokenError:
                continue
            return Content(said["k"], said["t"], said["n"], said["s"]), said["exp"]
        return None
