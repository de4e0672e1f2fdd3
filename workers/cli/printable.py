"""Text that somebody else wrote, made safe for a terminal."""

from __future__ import annotations

from config.printable import printable


def shortened(text: str, characters: int) -> str:
    """`text` on one line, its end cut off where it is longer."""
    text = printable(text)
    return text if len(text) <= characters else text[: characters - 1] + "…"


def readable(content: bytes, *, lines: bool = False) -> str:
    """UTF-8 as text, every other byte as `\\xNN`."""
    return printable(content.decode(errors="backslashreplace"), lines=lines)
