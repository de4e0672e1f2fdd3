"""What we give a channel with each part, to know it again when it is shown to us."""

from __future__ import annotations

import re
from typing import NamedTuple
from uuid import UUID

UNMARKED_CHANNELS = {"zalo"}
"""They show what was sent without a mark of ours."""
_MARKER = re.compile(r"tongdai/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9]{1,4})")


class Marked(NamedTuple):
    """A part of a message of ours."""

    message: UUID
    part: int


def marker(message: UUID, part: int) -> str:
    """`tongdai/<message>/<part>`."""
    return f"tongdai/{message}/{part}"


def read_marker(text: str | None) -> Marked | None:
    """Which part of which message is marked so; none: it is not our mark."""
    found = _MARKER.fullmatch(text or "")
    return Marked(UUID(found[1]), int(found[2])) if found else None
