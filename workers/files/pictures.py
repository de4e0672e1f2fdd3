"""Pictures: their size and a thumbnail, from a process that may fail."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

from config.logging import get_logger
from workers.files import picture

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
            said = await _run(str(path), str(thumbnail), str(self._pixels_max))
        if said is None:
            return None
        width, height = map(int, said.split())
        return Picture(width, height, thumbnail)


async def _run(*arguments: str) -> bytes | None:
    """What the process says; none: it has failed, or had to be ended."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", picture.__name__, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            said, complaint = await process.communicate()
    except TimeoutError:
        said, complaint = b"", b"no end in time"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return said
    _log.info("picture_not_opened", code=process.returncode, why=complaint.decode(errors="replace")[-200:])
    return None
