"""Why a WebSocket is closed by us, for agents and visitors alike."""

from __future__ import annotations

from typing import NamedTuple


class Closing(NamedTuple):
    """A close code, and its reason in words; both are sent."""

    code: int
    reason: str


MALFORMED = Closing(4400, "that is no message of ours")
TOO_MANY = Closing(4409, "too many connections")
