"""Which size and quality of a picture is tried next, until platforms that take little take it. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

BYTES_MAX = 1_048_576
"""Of a smaller copy: what the platform that takes least takes, Zalo."""
SHRUNK_TYPES = frozenset({"image/jpeg", "image/png"})
"""Pictures of which smaller copies are made: what moves would stand still in one."""
CONVERTED_TYPES = frozenset({"image/webp"})
"""Those that such platforms do not know, however small: what is made of one is a JPEG."""
SIDE_FIRST = 2_560
SIDE_MIN = 320
"""A copy with less is no better than the thumbnail: there is none then."""
QUALITIES = (85, 70)
"""Of JPEG, the better one first; then the picture itself becomes smaller."""
_TOWARDS = 0.95
"""Of what would fit, if bytes went with pixels: they go with them roughly."""
_STEP_MAX, _STEP_MIN = 0.8, 0.3
"""A side becomes shorter by a fifth at least, so that there is an end, and never by more than is sensible."""


class Try(NamedTuple):
    """One way to write it: its longer side in pixels, JPEG's quality of 100."""

    side: int
    quality: int


def needs_smaller(media_type: str | None, size_bytes: int) -> bool:
    """Whether such a picture has a copy beside it that platforms take which take little."""
    return media_type in CONVERTED_TYPES or (media_type in SHRUNK_TYPES and size_bytes > BYTES_MAX)


def first_try(width: int, height: int) -> Try:
    """What is tried first for a picture of so many pixels: never larger than it is."""
    return Try(min(max(width, height), SIDE_FIRST), QUALITIES[0])


def next_try(last: Try, size_bytes: int, bytes_max: int) -> Try | None:
    """What is tried after `last` has made `size_bytes`, more than `bytes_max`; none: it is given up."""
    worse = [each for each in QUALITIES if each < last.quality]
    if worse:
        return last._replace(quality=worse[0])
    step = math.sqrt(bytes_max / size_bytes) * _TOWARDS
    side = int(last.side * min(_STEP_MAX, max(_STEP_MIN, step)))
    return Try(side, last.quality) if side >= SIDE_MIN else None
