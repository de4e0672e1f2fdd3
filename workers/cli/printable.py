"""Text that somebody else wrote, made safe for a terminal."""

from __future__ import annotations

_LINES = {"\n", "\t"}


def printable(text: str, *, lines: bool = False) -> str:
    """`text` with everything escaped that a terminal could take for a command; `lines` keeps its lines."""
    return "".join(
        character
        if character.isprintable() or (lines and character in _LINES)
        else character.encode("unicode_escape").decode()
        for character in text
    )


def shortened(text: str, characters: int) -> str:
    """`text` on one line, its end cut off where it is longer."""
    text = printable(text)
    return text if len(text) <= characters else text[: characters - 1] + "…"


def readable(content: bytes, *, lines: bool = False) -> str:
    """UTF-8 as text, every other byte as `\\xNN`."""
    return printable(content.decode(errors="backslashreplace"), lines=lines)
