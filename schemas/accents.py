"""Towers of accents: texts in which one letter bears thousands of them. Pure.

Putting accents into their order takes the square of their number, in Python and in Postgres, which searches
texts without them: one message of 20,000 accents held Postgres for many seconds. No language stacks more
than a few, so what is above the limit is cut off.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby

ACCENTS_MAX = 64
"""On one letter. The most that any language's writing needs is below ten."""


def without_towers(text: str) -> str:
    """`text` with no letter that bears more accents than that; nearly always `text` itself."""
    # A longer row covers one of these places.
    if not any(_is_accent(text[place]) for place in range(ACCENTS_MAX, len(text), ACCENTS_MAX + 1)):
        return text
    rows = (list(row) for _, row in groupby(text, _is_accent))
    return "".join("".join(row[:ACCENTS_MAX] if _is_accent(row[0]) else row) for row in rows)


def _is_accent(sign: str) -> bool:
    """Whether it stands on the letter before, by what it is made of."""
    return not sign.isascii() and unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) != 0
