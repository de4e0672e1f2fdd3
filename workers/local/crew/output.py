"""What workers write, line by line, each line with its worker's name before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

LINE_BYTES_MAX = 65_536
"""A longer line is shown in pieces."""
LOG_MAX_BYTES = 50_000_000

Show = Callable[[str], None]
"""Takes one line, without its end."""


async def show_lines(stream: asyncio.StreamReader, name: str, show: Show) -> None:
    """Show what comes until the stream ends.

    Args:
        stream: a worker's output; what is not UTF-8 is replaced.
        name: stands before each line.
        show: called with each line.
    """
    rest = b""
    while chunk := await stream.read(LINE_BYTES_MAX):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            show(prefixed(name, line))
        if len(rest) >= LINE_BYTES_MAX:
            show(prefixed(name, rest))
            rest = b""
    if rest:
        show(prefixed(name, rest))


def prefixed(name: str, line: bytes) -> str:
    """`routing  | …`: names are padded so that the lines stand below each other."""
    return f"{name:<8} | {line.decode(errors='replace')}"


class LogFile:
    """A file that lines are appended to; when it has become long it is put aside first.

    Args:
        path: its folder is made when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_MAX_BYTES:
            path.replace(path.with_suffix(".old.log"))
        self._file = path.open("a", buffering=1)

    def show(self, line: str) -> None:
        """Append one line."""
        self._file.write(line + "\n")

    def close(self) -> None:
        """No more lines."""
        self._file.close()
