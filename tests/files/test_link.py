"""Links to files: good for one file and a while, and nobody makes one but us."""

from __future__ import annotations

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from workers.files.link import AUDIENCE, Content, ExpiredLinkError, Links
from workers.files.serving import headers_of, range_of
from workers.files.storage import Range

KEY, OTHER = "k" * 48, "o" * 48
PICTURE = Content("acme/ab/abcd", "image/png", "Ảnh.png", is_shown=True)
LINKS = Links([KEY], 3_600)


def test_a_link_gives_its_file() -> None:
    found = LINKS.read(LINKS.token(PICTURE))
    assert found is not None
    assert found[0] == PICTURE


def test_a_link_made_with_the_key_before_is_taken() -> None:
    assert Links([OTHER, KEY], 3_600).read(LINKS.token(PICTURE)) is not None
    assert Links([OTHER], 3_600).read(LINKS.token(PICTURE)) is None


@given(st.floats(0, 4e9))
def test_a_link_is_good_for_its_time_at_most_and_for_half_of_it_at_least(now_s: float) -> None:
    said = jwt.decode(LINKS.token(PICTURE, now_s), options={"verify_signature": False})
    assert 1_799 <= said["exp"] - now_s <= 3_600


def test_a_link_stays_the_same_for_a_while_so_that_browsers_keep_the_file() -> None:
    assert LINKS.token(PICTURE, 7_200) == LINKS.token(PICTURE, 8_999)
    assert LINKS.token(PICTURE, 7_200) != LINKS.token(PICTURE, 9_000)


def test_a_link_ends() -> None:
    with pytest.raises(ExpiredLinkError):
        LINKS.read(LINKS.token(PICTURE, 1_000_000))


def test_a_bent_or_foreign_link_gives_nothing() -> None:
    token = LINKS.token(PICTURE)
    head, said, signature = token.split(".")
    far = {"exp": 9_999_999_999, "k": "acme/x", "t": "text/html", "n": "x", "s": True}
    for wrong in (
        "",
        "x",
        token[:-2],
        f"{head}.{said[:-4]}AAAA.{signature}",
        jwt.encode({**far, "aud": AUDIENCE}, OTHER, algorithm="HS256"),
        jwt.encode({**far, "aud": AUDIENCE}, "", algorithm="none"),
        jwt.encode({**far, "aud": "tongdai/visitor"}, KEY, algorithm="HS256"),
        jwt.encode({**far, "aud": AUDIENCE}, KEY, algorithm="HS384"),
    ):
        assert LINKS.read(wrong) is None, wrong


def test_a_picture_may_be_shown_and_anything_else_is_saved() -> None:
    shown = headers_of(PICTURE, 60)
    assert shown["content-disposition"] == "inline; filename*=utf-8''%E1%BA%A2nh.png"
    text = headers_of(Content("k", "text/plain", 'a"; x="\r\n.txt', is_shown=False), 60)
    assert text["content-disposition"] == "attachment; filename*=utf-8''a%22%3B%20x%3D%22%0D%0A.txt"
    assert text["content-type"] == "text/plain; charset=utf-8"
    for headers in (shown, text):
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-9", Range(0, 10)),
        ("bytes=90-", Range(90, 100)),
        ("bytes=-5", Range(95, 100)),
        ("bytes=-500", Range(0, 100)),
        ("bytes=0-500", Range(0, 100)),
        ("bytes=-", None),
        ("bytes=9-0", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 400 + "-", None),
    ],
)
def test_a_range_is_the_part_that_was_asked_for(header: str | None, wanted: Range | None) -> None:
    assert range_of(header, 100) == wanted


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=200-300", "bytes=-0"])
def test_bytes_that_are_not_there_are_told_so(header: str) -> None:
    with pytest.raises(HTTPException) as refused:
        range_of(header, 100)
    assert refused.value.status_code == 416
