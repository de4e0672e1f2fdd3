"""Text that somebody else wrote, made safe for a terminal and for the log."""

from __future__ import annotations

import re

_LINES = {"\n", "\t"}
_JSON_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What JSON lets stand as it is: controls that terminals obey, and marks that turn the order of letters."""


def printable(text: str, *, lines: bool = False) -> str:
    """`text` with everything escaped that a terminal could take for a command; `lines` keeps its lines."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or (lines and character in _LINES)
        else character.encode("unicode_escape").decode()
        for character in text
    )


def printable_json(text: str) -> str:
    """JSON that says the same, with what a terminal could take for a command written as JSON's escapes."""
    return _JSON_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
