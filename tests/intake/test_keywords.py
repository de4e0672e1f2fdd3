"""Keyword lists: matched word by word, whatever the case and diacritics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions import KeywordList
from workers.routing.intake.keywords import Keywords, tokens


def matches(word: str, text: str) -> bool:
    return Keywords([KeywordList(id="list", words=(word,))]).matched(text) == ("list",)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("giá", "Cho hỏi GIA bao nhiêu"),
        ("gia", "giá?"),
        ("đặt hàng", "DAT   HANG giúp em"),
        ("Đặt hàng", "em muốn đặt\nhàng ạ"),
        ("hoàn tiền", "hoa\u0300n tie\u0302\u0300n"),
        ("c++", "học C++ được không"),
        ("❤️", "cảm ơn ❤"),
        ("STRASSE", "straße"),
        ("lừa đảo", "đồ lừa đảo!!!"),
    ],
)
def test_a_word_is_found_however_it_is_written(word: str, text: str) -> None:
    assert matches(word, text)


@pytest.mark.parametrize(
    ("word", "text"),
    [("an", "bán hàng"), ("đặt hàng", "đặt nhanh hàng"), ("đặt hàng", "hàng đặt"), ("giá", ""), (" ", "a b")],
)
def test_a_part_of_a_word_is_not_found(word: str, text: str) -> None:
    assert not matches(word, text)


def test_lists_come_in_the_order_of_the_policy() -> None:
    lists = [
        KeywordList(id="b", words=("giá", "mua")),
        KeywordList(id="a", words=("mua hàng",)),
        KeywordList(id="c", words=("bán",)),
    ]
    assert Keywords(lists).matched("mua hàng giá tốt") == ("b", "a")
    assert Keywords(lists).matched(None) == ()


WORDS = st.text(alphabet="aăđĐeê .+ẤZ\u0301", min_size=1, max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=5), st.text(alphabet="aăđĐeê .+ẤZ\u0301", max_size=60))
def test_matching_says_the_same_as_looking_everywhere(words: list[str], text: str) -> None:
    found = Keywords([KeywordList(id=f"l{n}", words=(word,)) for n, word in enumerate(words)]).matched(text)
    said = tokens(text)
    expected = [
        f"l{number}"
        for number, word in enumerate(words)
        if (phrase := tokens(word))
        and any(said[place : place + len(phrase)] == phrase for place in range(len(said)))
    ]
    assert list(found) == expected
