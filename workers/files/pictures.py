"""Pictures: their size, a thumbnail and a smaller copy, from processes that may fail."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from config.logging import get_logger
from workers.files import picture, smaller
from workers.files.shrinking import BYTES_MAX
from workers.runtime.confined import run_confined

DEADLINE_S = 20.0

_log = get_logger(__name__)


class Picture(NamedTuple):
    """A picture that could be opened."""

    width: int
    height: int
    thumbnail: Path
    """A JPEG beside it."""


class Pictures:
    """Opens one picture after another.

    Args:
        pixels_max: a picture with more is not opened.
    """

    def __init__(self, pixels_max: int) -> None:
        self._pixels_max = pixels_max
        self._one = asyncio.Semaphore(1)

    async def open(self, path: Path) -> Picture | None:
        """What `path` shows; none: it cannot be opened within the limits."""
        thumbnail = path.with_name("thumbnail")
        async with self._one:
            said = await _run(picture.__name__, str(path), str(thumbnail), str(self._pixels_max))
        if said is None:
            return None
        width, height = map(int, said.split())
        return Picture(width, height, thumbnail)

    async def smaller(self, path: Path) -> Path | None:
        """A JPEG of at most `shrinking.BYTES_MAX`; none: there cannot be one within the limits."""
        copy = path.with_name("smaller")
        async with self._one:
            said = await _run(smaller.__name__, str(path), str(copy), str(self._pixels_max), str(BYTES_MAX))
        return None if said is None else copy


async def _run(module: str, *arguments: str) -> bytes | None:
    """What the process of a module says; none: it has failed, or had to be ended."""
    try:
        ended = await run_confined(module, *arguments, deadline_s=DEADLINE_S)
    except TimeoutError:
        _log.info("picture_not_opened", code=None, why="no end in time")
        return None
    if ended.code == 0:
        return ended.said
    _log.info("picture_not_opened", code=ended.code, why=ended.complaint)
    return None
