"""Vietnamese phone numbers as customers write them. Pure."""

from __future__ import annotations

import re

_GAP = r"[ .\-()\u00a0]{0,2}"
"""What people write between digits."""
_HEADS = ("3[2-9]", "5[25689]", "7[06-9]", "8[1-9]", r"9\d")
"""The first two digits of mobile numbers behind the 0; seven more follow."""


def _spaced(*signs: str) -> str:
    """Digits, each but the first perhaps behind a gap."""
    return _GAP.join(signs)


_MOBILE = "|".join(_spaced(*re.findall(r"\[[^]]+]|\\d|\d", head), *[r"\d"] * 7) for head in _HEADS)
_LANDLINE = _spaced("2", *[r"\d"] * 9)
_COUNTRY = rf"{_GAP}0?"
"""What may follow 84: perhaps the 0 that belongs before a number without it."""
_CODE = rf"(?<=0)(?:0{_GAP}8{_GAP}4{_COUNTRY})?|(?<=8){_GAP}4{_COUNTRY}|(?<=\+){_GAP}8{_GAP}4{_COUNTRY}"
# It begins with the signs that a number may begin with, since those are found fastest.
_NUMBER = re.compile(rf"[08+](?<!\d.)(?:{_CODE}){_GAP}({_MOBILE}|{_LANDLINE})(?!\d|[.\-]\d)")


def find_phone(text: str | None) -> str | None:
    """The last phone number in `text`, as `0912345678` or `02438251234`; none: there is none.

    The last, for whoever writes another one after it corrects himself.
    """
    if not text:
        return None
    found = _NUMBER.findall(text)
    return "0" + re.sub(r"\D", "", found[-1]) if found else None


def e164(text: str | None) -> str | None:
    """The one number that `text` is, as `+84912345678`; none: it is not one.

    Vietnamese numbers are taken as people write them, others with + and their country.
    """
    bare = re.sub(r"[ .\-()\u00a0]", "", text or "")
    if re.fullmatch(r"\+(?!84)[1-9][0-9]{7,14}", bare):
        return bare
    if not re.fullmatch(r"\+?[0-9]{9,15}", bare):
        return None
    found = find_phone(bare)
    return None if found is None else f"+84{found[1:]}"


def same_phone(one: str | None, other: str | None) -> bool:
    """Whether both are the same number, however they are written."""
    if not one or not other:
        return False
    return (find_phone(one) or one) == (find_phone(other) or other)
