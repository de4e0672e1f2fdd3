"""How many SMS a text takes. Pure.

Source: 3GPP TS 23.038 (the alphabets) and TS 23.040 (what the parts of a long one lose to their header).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

SEGMENTS_MAX = 6
_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Behind an escape: each takes the room of two."""


class Segments(NamedTuple):
    """What a text takes."""

    alphabet: Literal["gsm-7", "ucs-2"]
    number: int


def segments_of(text: str) -> Segments:
    """The alphabet that `text` needs, and how many SMS it takes; one that is empty takes none."""
    if all(character in _GSM_7 or character in _EXTENDED for character in text):
        widths = [2 if character in _EXTENDED else 1 for character in text]
        return Segments("gsm-7", _count(widths, 160, 153))
    widths = [2 if character > "\uffff" else 1 for character in text]
    return Segments("ucs-2", _count(widths, 70, 67))


def _count(widths: list[int], alone: int, each: int) -> int:
    """Parts of `each`, none of which ends within a character; or one of `alone`."""
    if sum(widths) <= alone:
        return min(1, len(widths))
    count, room = 1, each
    for width in widths:
        if width > room:
            count, room = count + 1, each
        room -= width
    return count
