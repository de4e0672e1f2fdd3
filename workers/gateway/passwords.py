"""Passwords: argon2id with the library's parameters (RFC 9106, low memory), off the event loop."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 256
VERIFYING_MAX = 2
"""At once: each takes 64 MiB and a core for some tens of milliseconds."""

_hasher = PasswordHasher()
_NOBODYS = _hasher.hash("no account has this one")
"""Verified when there is no such account, so that it takes as long to be refused."""


class Passwords:
    """Hashes and verifies, a few at once."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(VERIFYING_MAX)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one of this hash; never when there is none, in the same time."""
        async with self._room:
            right = await asyncio.to_thread(_verify, password_hash or _NOBODYS, password)
        return right and password_hash is not None


def hash_password(password: str) -> str:
    """The argon2id hash to be stored. Raises ValueError when it is too short or too long."""
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise ValueError(f"a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")
    return _hasher.hash(password)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
