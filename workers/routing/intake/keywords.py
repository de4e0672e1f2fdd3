"""A workspace's keyword lists: which of them a message matches, whatever its case and diacritics."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from schemas.definitions import KeywordList

_TOKEN = re.compile(r"\w+|[^\w\s]")
_D = str.maketrans({"đ": "d"})  # a letter of its own: no diacritic comes off it


def fold(text: str) -> str:
    """`text` without case and diacritics: `Đặt HÀNG` as `dat hang`."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text).casefold().translate(_D)
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")


def tokens(text: str) -> tuple[str, ...]:
    """The folded words of `text`, and each sign between them."""
    return tuple(_TOKEN.findall(fold(text)))


class Keywords:
    """Lists made ready for matching. A word is found as a whole word, one of several in their order.

    What matching takes grows with the text, not with the number of words.
    """

    def __init__(self, lists: Iterable[KeywordList] = ()) -> None:
        self._lists: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        self._lengths: defaultdict[str, set[int]] = defaultdict(set)
        self._order: list[str] = []
        for one in lists:
            self._order.append(one.id)
            for phrase in map(tokens, one.words):
                if phrase:
                    self._lists[phrase].add(one.id)
                    self._lengths[phrase[0]].add(len(phrase))

    def matched(self, text: str | None) -> tuple[str, ...]:
        """The ids of the lists that `text` matches, in the order of the policy."""
        if not text or not self._lists:
            return ()
        said = tokens(text)
        found: set[str] = set()
        for place, token in enumerate(said):
            for length in self._lengths.get(token, ()):
                found |= self._lists.get(said[place : place + length], frozenset())
        return tuple(id_ for id_ in self._order if id_ in found)
