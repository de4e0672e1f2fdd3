"""Cutting a text into parts that a channel takes, where it hurts least. Pure."""

from __future__ import annotations

import unicodedata

_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}
"""They belong to the sign before them."""
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_ENDS = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")
"""Where a text is cut, the best place first; what is cut stays at the end of the part before."""


def length(text: str) -> int:
    """Characters as platforms may count them: a sign beyond the basic plane is two."""
    return len(text) + sum(1 for sign in text if ord(sign) > 0xFFFF)


def split(text: str, limit: int) -> list[str]:
    """The text in parts of at most `limit` characters each, all of it and in its order.

    Only white space at the cuts is left out; a part that would be nothing else is, too.
    """
    parts, rest = [], text.strip()
    while length(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [part for part in (*parts, rest) if part]


def _cut(text: str, limit: int) -> int:
    """How many signs the next part has: at a good place in its second half, or else where it is full."""
    full = _fitting(text, limit)
    for end in _ENDS:
        found = text.rfind(end, full // 2, full)
        if found > 0:
            return found + len(end)
    while full > 1 and _belongs_before(text, full):
        full -= 1
    return full if full > 1 else _fitting(text, limit)


def _fitting(text: str, limit: int) -> int:
    """How many signs from the beginning are within the limit; at least one."""
    used = 0
    for number, sign in enumerate(text):
        used += 2 if ord(sign) > 0xFFFF else 1
        if used > limit:
            return max(number, 1)
    return len(text)


def _belongs_before(text: str, place: int) -> bool:
    """Whether the sign at `place` is part of what stands before it."""
    sign = text[place]
    joined = text[place - 1] == "\u200d"
    return joined or sign in _JOINERS or ord(sign) in _SKIN_TONES or bool(unicodedata.combining(sign))
