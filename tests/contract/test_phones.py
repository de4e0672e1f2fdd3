"""Phone numbers in what customers write, however they write them."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.phones import find_phone, same_phone

MOBILE_HEADS = [*(f"3{n}" for n in range(2, 10)), "52", "55", "56", "58", "59", "70"]
MOBILE_HEADS += [*(f"7{n}" for n in range(6, 10)), *(f"8{n}" for n in range(1, 10))]
MOBILE_HEADS += [f"9{n}" for n in range(10)]
REST = {2: st.from_regex(r"[0-9]{7}", fullmatch=True), 1: st.from_regex(r"[0-9]{9}", fullmatch=True)}
GAPS = st.sampled_from(["", "", "", " ", ".", "-", ". ", " -", " - ", ") - ", "\u00a0"])
CODES = st.sampled_from(["0", "84", "+84", "+84 ", "0084", "(0", "+84 (0)", "840"])
DATES = st.sampled_from(["{}-{}-{}", "{:02}-{:02}-{}"])
BEHIND_DATES = (
    "",
    " 10h30",
    " 10:30",
    " lúc 9h",
    " - 15h",
    ", 350.000đ",
    " 500000",
    " 5000",
    " 1234 Lê Lợi",
    " 12",
)
DATE = re.compile(r"\d[^\d]+\d+[^\d]+(?:19|20)\d\d")
PRICED = re.compile(r"\s?[đĐ]")
THOUSANDS = str.maketrans(",_", "..")
WORDS = st.text(alphabet="abcđêơ áạ,!?:;\n😀sdtSĐT", max_size=12)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A number without its 0: nine digits of a mobile, ten of a landline."""
    head = draw(st.sampled_from([*MOBILE_HEADS, "2"]))
    return head + draw(REST[len(head)])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A number as somebody writes it, and as we do."""
    digits = draw(numbers())
    body = digits[0] + "".join(draw(GAPS) + digit for digit in digits[1:])
    text = draw(CODES) + draw(st.sampled_from(["", " ", "."])) + body
    assume(not DATE.search(text))
    return text, "0" + digits


@pytest.mark.parametrize(
    "text",
    [
        "\u202a0912 345 678\u202c",
        "0912\u2011345\u2011678",
        "0912–345–678",
        "0912\u200b345678",
        "\ufeff+84912345678",
    ],
    ids=ascii,
)
def test_a_number_that_was_copied_from_contacts_is_found(text: str) -> None:
    assert find_phone(f"sđt em là {text} ạ") == "0912345678"


@given(WORDS, written(), WORDS)
def test_a_number_is_found_however_it_is_written(before: str, number: tuple[str, str], after: str) -> None:
    assume(not PRICED.match(after))
    assert find_phone(before + number[0] + after) == number[1]


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    DATES,
    st.sampled_from(["-", ".", "/", " - ", " / "]),
    st.sampled_from(BEHIND_DATES),
)
def test_a_date_with_what_stands_behind_it_is_no_number(at: date, form: str, sign: str, behind: str) -> None:
    written = form.format(at.day, at.month, at.year).replace("-", sign)
    assert find_phone(f"Giao ngày {written}{behind}") is None
    assert find_phone(f"Giao ngày {written}{behind}, gọi 0912 - 345 - 678") == "0912345678"


@given(numbers(), st.sampled_from(["{:,}", "{:_}"]), st.sampled_from(["đ", " đ", "₫", " VND", "vnđ"]))
def test_a_price_is_no_number(number: str, form: str, currency: str) -> None:
    for price in (f"84{number}", f"08{number[:8]}"):
        assert find_phone("giá " + form.format(int(price)).translate(THOUSANDS) + currency) is None
        assert find_phone(f"ngày {price[:2]}.{price[2:4]} {price[4:]}{currency}") is None


# Before a number 84 is its country, and 00 the way there.
OTHER_GROUPS = st.from_regex(r"[0-9]{1,6}", fullmatch=True).filter(
    lambda digits: digits not in {"84", "0084"}
)


@given(numbers(), st.sampled_from([".", "-", " - "]), OTHER_GROUPS)
def test_a_number_of_more_groups_is_of_something_else(number: str, sign: str, more: str) -> None:
    groups = ["0" + number[:3], number[3:6], number[6:]]
    assert find_phone(f"đơn {sign.join([*groups, more])}") != f"0{number}"
    assert find_phone(f"đơn {' - '.join([more, *groups])}") != f"0{number}"


@given(st.text(alphabet="0123456789 .-+()84abc", max_size=60))
def test_what_is_found_is_a_number_whose_digits_are_in_the_text(text: str) -> None:
    found = find_phone(text)
    if found is not None:
        assert re.fullmatch(r"0[35789]\d{8}|02\d{9}", found)
        assert found[1:] in re.sub(r"\D", "", text)
        assert find_phone(found) == found


@given(numbers(), st.from_regex(r"[0-9]{1,8}", fullmatch=True))
def test_longer_numbers_are_of_something_else(number: str, more: str) -> None:
    assert find_phone(f"STK 1{more}0{number}") is None


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("Tên Lan, sđt 0900 000 123, số 5 đường Lê Lợi", "0900000123"),
        ("0912.345.678 giao 2 bó nhé", "0912345678"),
        ("gọi em 0912345678 2 bó hồng", "0912345678"),
        ("+84 (0) 912-345-678", "0912345678"),
        ("zalo.me/84912345678", "0912345678"),
        ("số cũ 0911111111, số mới 0922222222 ạ", "0922222222"),
        ("văn phòng (024) 3825 1234", "02438251234"),
        ("0912 - 345 - 678", "0912345678"),
        ("(+84) 912 - 345 - 678 ạ", "0912345678"),
        ("ĐT: (024) - 3825 1234", "02438251234"),
        ("0912345678 - 2 bó hồng", "0912345678"),
        ("size 5 - 0912345678", "0912345678"),
        ("0912 345 678 đồng ý nhé", "0912345678"),
        ("0912 - 345 - 678 - 901", None),
        ("08-12-2025 10h30", None),
        ("giao 8.4.2025 500000", None),
        ("giao 08.12 350.000đ", None),
        ("10-08-2025 1234 Lê Lợi", None),
        ("0123456789", None),
        ("giá 84.000.000đ, giảm 350.000", None),
        ("đơn 091234567", None),
        ("STK 0912345678901", None),
        ("0912.345.678.901", None),
        ("", None),
        (None, None),
    ],
)
def test_examples(text: str | None, phone: str | None) -> None:
    assert find_phone(text) == phone


def test_two_ways_of_writing_are_one_number() -> None:
    assert same_phone("+84912345678", "0912 345 678")
    assert same_phone("12", "12")
    assert not same_phone("0912345678", "0912345679")
    assert not same_phone(None, None)
