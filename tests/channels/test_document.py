"""Bodies: what is read, what is mended, what is refused."""

from __future__ import annotations

import orjson
import pytest

from workers.channels.document import NESTING_MAX, parse_document
from workers.channels.problem import MalformedError


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_json_is_read() -> None:
    assert parse_document(' {"a": ["xin chào", 1, 2.5, null, true]} '.encode()) == {
        "a": ["xin chào", 1, 2.5, None, True]
    }


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b"\xff", b'{"a": NaN}', b"-Infinity", b'{"a":1}x'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedError, match="not JSON"):
        parse_document(body)


def test_nesting_has_a_limit() -> None:
    assert parse_document(nested(NESTING_MAX)) is not None
    for depth in (NESTING_MAX + 1, 1_000, 2_000, 400_000):
        with pytest.raises(MalformedError, match="nested deeper"):
            parse_document(nested(depth))
    mixed = b'{"a":[' * NESTING_MAX + b"]}" * NESTING_MAX
    with pytest.raises(MalformedError, match="nested deeper"):
        parse_document(mixed)


def test_many_brackets_are_not_deep() -> None:
    assert len(parse_document(b"[" + b",".join([b"[]"] * 5_000) + b"]")) == 5_000
    assert parse_document(orjson.dumps("[" * 5_000)) == "[" * 5_000


def test_text_cut_inside_a_surrogate_pair_is_mended() -> None:
    found = parse_document(rb'{"text":"hay qu\u00e1 \ud83d","\udc00":"\ud83d\ude00"}')
    assert found == {"text": "hay quá \ufffd", "\ufffd": "😀"}
    orjson.dumps(found)


def test_numbers_beyond_64_bits_can_be_carried_on() -> None:
    found = parse_document(rb'{"id":' + b"9" * 30 + rb',"t":"\ud83d"}')
    assert orjson.loads(orjson.dumps(found))["id"] == "9" * 30
    with pytest.raises(MalformedError):
        parse_document(rb'{"id":' + b"9" * 5_000 + rb',"t":"\ud83d"}')
