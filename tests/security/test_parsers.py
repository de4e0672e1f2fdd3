"""Whatever comes from outside is read or refused, and quickly. Many more: python -m tests.security.fuzz."""

from __future__ import annotations

import orjson
import pytest

from tests.security.fuzz import PARSERS, fuzz
from tests.security.parsers import Parser
from workers.channels.mail.head import read_head
from workers.channels.mail.reading import read_content

INPUTS = 300
TAKEN_MIN = 1
"""Of so many inputs at least one must be read: what bends too much tries nothing behind the first look."""


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name.replace(" ", "-"))
def test_nothing_is_raised_but_a_refusal(parser: Parser) -> None:
    found = fuzz(parser, 0, INPUTS)
    assert found.failed == []
    assert found.taken >= TAKEN_MIN


def parser_named(name: str) -> Parser:
    return next(parser for parser in PARSERS if parser.name == name)


def test_a_mail_whose_subject_names_no_character_set_is_read() -> None:
    mail = b"From: a@b.cd\r\nSubject: =?utf\xff8?q?H?=\r\n\r\nx"
    assert read_head(mail).subject
    assert read_content(mail).text == "x"


def test_a_file_whose_name_is_in_no_character_set_is_a_file_all_the_same() -> None:
    mail = b"From: a@b.cd\r\nContent-Disposition: attachment; filename*=%00''a\r\n\r\nx"
    assert [one.name for one in read_content(mail).attached] == ["text/plain"]


@pytest.mark.parametrize("kind", ["[]", "{}", "null", "7"])
def test_a_provider_may_call_by_whatever_type(kind: str) -> None:
    assert parser_named("providers' callbacks").takes(f'{{"type": {kind}}}'.encode())


def test_a_kind_of_attachment_that_is_too_long_costs_no_page_of_older_messages() -> None:
    said = {"message_id": "z", "from_id": "7", "to_id": "1", "type": "x" * 41, "url": "https://a/b"}
    answer = orjson.dumps({"data": [{**said, "time": 1763800000000}], "error": 0})
    assert parser_named("platforms' answers").takes(answer)
