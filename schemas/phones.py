"""Vietnamese phone numbers as customers write them. Pure."""

from __future__ import annotations

import re

_ALIKE = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013", "-")
    | dict.fromkeys(
        "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
    )
)
_COPIED = re.compile(f"[{''.join(map(chr, _ALIKE))}]")
"""What stands in and around numbers that were copied from a list of contacts: other hyphens, unseen signs."""
_APART = r"\)?[ \u00a0]-[ \u00a0]"
"""What some write between groups."""
_GAP = rf"(?:[ .\-()\u00a0]{{0,2}}|{_APART})"
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
_CURRENCY = r"(?:[đĐ]|₫|[vV][nN][dDđĐ])(?!\w)"
# It begins with the signs that a number may begin with, since those are found fastest.
_NUMBER = re.compile(
    rf"[08+](?<!\d.)(?:{_CODE}){_GAP}({_MOBILE}|{_LANDLINE})(?!\d|[.\-]\d|[ \u00a0]?{_CURRENCY})"
)
# What stands apart before or behind a number in parts that stand apart makes it something longer.
_BEFORE, _BEHIND = re.compile(rf"\d{_APART}$"), re.compile(rf"{_APART}\d")
_APART_CHARS_MAX = 4
_SIGN = r"[ \u00a0]{0,2}[.\-/][ \u00a0]{0,2}"
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_DATE = re.compile(rf"(?<!\d)(?<!\d[ .\-]){_DAY}{_SIGN}{_MONTH}{_SIGN}{_YEAR}(?!\d)")


def find_phone(text: str | None) -> str | None:
    """The last phone number in `text`, as `0912345678` or `02438251234`; none: there is none.

    The last, for whoever writes another one after it corrects himself.
    """
    if not text:
        return None
    if _COPIED.search(text):
        text = text.translate(_ALIKE)
    if _NUMBER.search(text) is None:  # as mostly, and told soon
        return None
    said = _DATE.sub("/", text)
    found = [each[1] for each in _NUMBER.finditer(said) if not _is_part(said, each)]
    return "0" + re.sub(r"\D", "", found[-1]) if found else None


def _is_part(text: str, number: re.Match[str]) -> bool:
    """Whether it goes on as it is written: its groups stand apart, and so does another one beside it."""
    start, end = number.span()
    if not re.search(_APART, number[0]):
        return False
    before = text[max(0, start - 1 - _APART_CHARS_MAX) : start]
    return bool(_BEFORE.search(before) or _BEHIND.match(text, end))


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
