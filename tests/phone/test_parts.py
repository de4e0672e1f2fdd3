"""SMS and calls, part by part: how many a text takes, what a provider's answer means, who may call back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.phone import PhoneAccount, PhoneSettings
from config.retry import Retry
from schemas.actions import SMS_CHARS_MAX
from schemas.phones import e164, find_phone
from workers.channels.delivery.posting import Answer
from workers.channels.outreach.result import Given, NotGiven
from workers.channels.outreach.verdict import after
from workers.channels.phone.callback import CALL_BECAME, CALLBACK, SMS_BECAME, SmsReceived
from workers.channels.phone.provider import result_of
from workers.channels.phone.segments import SEGMENTS_MAX, segments_of
from workers.channels.phone.signature import AGE_MAX_S, is_signed, signature

KEY = "a key of the tests for callbacks"
REFERENCE = f"acme.{'0' * 32}"
NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("", ("gsm-7", 0)),
        ("a" * 160, ("gsm-7", 1)),
        ("a" * 161, ("gsm-7", 2)),
        ("a" * 306, ("gsm-7", 2)),
        ("a" * 307, ("gsm-7", 3)),
        ("€" * 80, ("gsm-7", 1)),
        ("€" * 81, ("gsm-7", 2)),
        ("€" * 153, ("gsm-7", 3)),  # the 153rd septet of a part is no room for half a sign
        ("ạ" * 70, ("ucs-2", 1)),
        ("ạ" * 71, ("ucs-2", 2)),
        ("ạ" * 135, ("ucs-2", 3)),
        ("😀" * 35, ("ucs-2", 1)),
        ("😀" * 66, ("ucs-2", 2)),
        ("😀" * 67, ("ucs-2", 3)),
    ],
)
def test_a_text_takes_as_many_sms_as_networks_count(text: str, taken: tuple[str, int]) -> None:
    assert segments_of(text) == taken


@given(st.text(alphabet="aạ€😀\n", max_size=700), st.text(alphabet="aạ€😀\n", max_size=5))
def test_more_text_never_takes_fewer(text: str, more: str) -> None:
    assert segments_of(text).number <= segments_of(text + more).number


def test_no_text_that_is_too_long_to_be_asked_for_would_fit() -> None:
    assert segments_of("a" * SMS_CHARS_MAX).number == SEGMENTS_MAX
    assert segments_of("a" * (SMS_CHARS_MAX + 1)).number > SEGMENTS_MAX


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *((text, "+84912345678") for text in ("0912 345 678", "84912345678", "+84 (0) 912.345.678")),
        ("028 3823 1234", "+842838231234"),
        ("+1 415-555-0100", "+14155550100"),
        *(
            (text, None)
            for text in ("", None, "12345", "1900 1234", "+84123", "0912345678 0987654321", "gọi em")
        ),
    ],
)
def test_a_number_is_known_however_it_is_written(text: str | None, number: str | None) -> None:
    assert e164(text) == number


@given(st.text(alphabet="+0123456789 .-()84", max_size=20))
def test_what_is_called_is_a_number_and_stays_it(text: str) -> None:
    number = e164(text)
    if number is not None:
        assert e164(number) == number
        assert not number.startswith("+84") or find_phone(number) == f"0{number[3:]}"


def answer(status: int, body: dict[str, Any] | None = None, **headers: str) -> Answer:
    return Answer(status, body or {}, httpx.Headers(headers))


@pytest.mark.parametrize(
    ("status", "code", "became"),
    [
        (401, "unauthorized", ("phone_login", True)),
        (402, "no_credit", ("phone_balance", True)),
        (403, "", ("phone_login", True)),
        (409, "in_progress", ("phone_later", True)),
        (429, "rate_limited", ("phone_later", True)),
        (400, "invalid_number", ("phone_number", False)),
        (422, "blocked_number", ("phone_number", False)),
        (422, "idempotency_mismatch", ("phone_refused", False)),
        (404, "", ("phone_refused", False)),
        (500, "", ("phone_down", True)),
        (302, "", ("phone_down", True)),
        (200, "", ("phone_down", True)),  # without an id
    ],
)
def test_a_refusal_is_for_good_or_for_now_by_its_class(
    status: int, code: str, became: tuple[str, bool]
) -> None:
    found = result_of(answer(status, {"error": {"code": code}}), NOW)
    assert isinstance(found, NotGiven)
    assert (found.reason, found.again) == became


def test_what_is_taken_has_the_providers_id() -> None:
    assert result_of(answer(202, {"id": "p1"}), NOW) == Given("p1")
    assert isinstance(result_of(answer(200, {"id": "p" * 129}), NOW), NotGiven)


def test_a_provider_that_wants_to_be_left_alone_is() -> None:
    a_minute_on = "Sun, 22 Nov 2026 08:16:00 GMT"
    for said, least_s in (("120", 120), (a_minute_on, 60), ("999999", 300), ("soon", 1), ("-5", 1)):
        result = result_of(answer(429, {}, **{"retry-after": said}), NOW)
        assert after(result, 0, 0, Retry(2, 300), 5, 0.0).due_s == least_s


@given(st.binary(max_size=200), st.integers(0, 2**33))
def test_a_callback_counts_if_it_is_signed_and_lately(body: bytes, at_s: int) -> None:
    said = signature(KEY, body, at_s)
    assert is_signed(KEY, body, said, at_s + AGE_MAX_S)
    assert not is_signed(KEY, body, said, at_s + AGE_MAX_S + 1)
    assert not is_signed(KEY, body, said, at_s - AGE_MAX_S - 1)
    assert not is_signed(KEY, body + b" ", said, at_s)
    assert not is_signed(KEY + "x", body, said, at_s)
    assert not is_signed(KEY, body, said.replace(f"t={at_s}", f"t={at_s + 1}"), at_s)


@pytest.mark.parametrize(
    "said", ["", "t=1", "t=1,v1=", "t=-1,v1=" + "0" * 64, "t=" + "9" * 30 + ",v1=" + "0" * 64]
)
def test_what_is_no_signature_is_none(said: str) -> None:
    assert not is_signed(KEY, b"", said, 1.0)


def test_every_status_that_is_read_has_a_meaning() -> None:
    for kind, became in (("sms", SMS_BECAME), ("call", CALL_BECAME)):
        for status, (state, reason) in became.items():
            callback = CALLBACK.validate_python(
                {"type": f"{kind}.status", "reference": REFERENCE, "status": status, "new": 1}
            )
            assert not isinstance(callback, SmsReceived)
            assert (callback.became, reason is None) == ((state, reason), state != "failed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "lost"},
        {"reference": "acme"},
        {"reference": f"{REFERENCE}\n"},
        {"duration_s": -1},
        {"id": "a\x00"},
        {"at_ms": -1},
    ],
    ids=str,
)
def test_a_callback_that_says_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CALLBACK.validate_python({"type": "call.status", "reference": REFERENCE, "status": "ended", **wrong})


@pytest.mark.parametrize("token", ["the-token…", "the-token\n"], ids=ascii)
def test_a_token_that_no_header_takes_is_none(token: str) -> None:
    with pytest.raises(ValidationError, match="characters that no token has"):
        PhoneAccount.model_validate(
            {"name": "main", "url": "https://phone.example/v1", "token": token, "callback_key": "k" * 32}
        )


def test_two_accounts_have_two_names() -> None:
    account = {"name": "a", "url": "https://phone.example/v1", "token": "t", "callback_key": KEY}
    with pytest.raises(ValidationError, match="one name"):
        PhoneSettings.model_validate({"accounts": [account, account]})
    for wrong in ({"url": "ftp://phone.example"}, {"name": "A b"}, {"callback_key": "short"}):
        with pytest.raises(ValidationError):
            PhoneSettings.model_validate({"accounts": [account | wrong]})
