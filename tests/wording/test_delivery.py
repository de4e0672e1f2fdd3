"""Every state and every reason of a message has its words in both languages."""

from __future__ import annotations

from typing import get_args

import pytest

from schemas.receipts import DeliveryReason, DeliveryState
from workers.channels.delivery import messenger_errors, zalo_errors
from workers.wording.delivery import word_delivery
from workers.wording.pages import word_page
from workers.wording.word import LanguageCode

LANGUAGES: tuple[LanguageCode, ...] = ("vi", "en")
STOPPING = [
    failed
    for failed in (
        *(messenger_errors.failure_of(code, subcode, 400) for code, subcode in messenger_errors.KNOWN),
        *(zalo_errors.failure_of(code) for code in zalo_errors.KNOWN),
    )
    if failed.means == "stop"
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_says_what_is_the_matter_and_what_to_do(language: LanguageCode) -> None:
    told = [word_delivery("failed", reason, language) for reason in get_args(DeliveryReason)]
    assert all(one.text and one.advice for one in told)
    assert len({one.text for one in told}) == len(told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_its_word_and_needs_no_advice(language: LanguageCode) -> None:
    told = [word_delivery(state, None, language) for state in get_args(DeliveryState)]
    assert len({one.text for one in told}) == len(told)
    assert {one.advice for one in told} == {""}


def test_it_reads_as_a_sentence() -> None:
    assert word_delivery("failed", "rejected", "vi").text == "Không gửi được: kênh từ chối tin này"
    assert word_delivery("queued", "rate_limited", "en") == (
        "Waiting to be sent: too much is being sent at once",
        "Wait: it is sent by itself",
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pages_admins_are_told_what_is_for_them_to_do(language: LanguageCode) -> None:
    stopping: set[DeliveryReason] = {failed.reason for failed in STOPPING}
    stopping |= {"token_broken", "not_connected"}
    told = [word_page(reason, language) for reason in sorted(stopping)]
    assert all(one.text and one.advice for one in told)
    assert len({one.advice for one in told}) == len(told)
    assert not [one.advice for one in told if "admin" in one.advice or "quản trị" in one.advice]
    assert word_page(None, language).advice == ""


def test_a_reason_of_a_later_version_is_left_out() -> None:
    assert word_delivery("failed", "from_the_future", "en").text == "Not sent"  # type: ignore[arg-type]
