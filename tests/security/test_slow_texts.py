"""Texts that were made to be slow: what reads customers' words takes no longer for them than for others."""

from __future__ import annotations

import time
import unicodedata

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.accents import ACCENTS_MAX, without_towers
from schemas.base import TEXT_CHARS_MAX
from schemas.definitions import KeywordList
from schemas.inbound import Message
from schemas.phones import find_phone
from workers.channels.mail.frame import own_words
from workers.routing.intake.keywords import Keywords

ABOVE, BELOW = "\u0301", "\u0316"
PHONES = ("0 ", "08.", "+84 0", "09 ", "0-0-", "84 0(9)1-2 3.", "9", "0) - 9 - ", "1.1.")
PARTS = {
    **{f"phones {part!r}": part for part in PHONES},
    "accents": ABOVE + BELOW,
    "accents that are made of two": "\u0f73",
    "letters that become eighteen": "\ufdfa",
    "words": "mua ",
    "beginnings of quotes": "On a viết wrote : \n",
}
KEYWORDS = Keywords([KeywordList(id="a", words=tuple("mua " * n + "b" for n in range(1, 20)))])
READ_S_MAX = 1.5
"""Of processor time, for the longest text; most take a few milliseconds, and Python may clean up beside."""


def slow(part: str) -> str:
    return (part * TEXT_CHARS_MAX)[:TEXT_CHARS_MAX]


def read(text: str) -> str:
    """As intake has it."""
    value = {"channel": "web", "account": "a", "user": "u", "channel_message_id": "m", "text": text}
    return Message.model_validate(value).text or ""


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_the_longest_text_is_read_at_once(part: str) -> None:
    text, begun_s = slow(part), time.process_time()
    said = read(text)
    find_phone(said)
    KEYWORDS.matched(said)
    own_words(said)
    assert time.process_time() - begun_s < READ_S_MAX


@pytest.mark.servers
async def test_postgres_searches_it_at_once(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("SET statement_timeout = '2s'")
    for part in PARTS.values():
        await connection.fetchval("SELECT length(message_words('acme', $1))", read(slow(part)))
    await connection.close()


@given(st.text(st.sampled_from("aạ\u0344\u0f73" + ABOVE + BELOW), max_size=4 * ACCENTS_MAX))
def test_no_letter_bears_more_than_the_limit_and_nothing_else_is_lost(text: str) -> None:
    found = without_towers(text)
    row = 0
    for sign in found:
        row = row + 1 if unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) else 0
        assert row <= ACCENTS_MAX
    assert [sign for sign in found if sign in "aạ"] == [sign for sign in text if sign in "aạ"]
    assert without_towers(found) == found


@given(st.text(max_size=200))
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert without_towers(text) == text or any(map(unicodedata.combining, text))
    decomposed = unicodedata.normalize("NFD", "Tiếng Việt đầy đủ dấu ")
    assert without_towers(decomposed * 50) == decomposed * 50
