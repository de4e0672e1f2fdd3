"""What follows from one attempt: a pure decision."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from workers.outside.back_off import back_off_s

RETRY_AFTER_MAX_S = 24 * 60 * 60.0
"""Whoever asks for more is asked again after a day."""

_OF_THE_WHOLE = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
"""Statuses that speak of the receiver and not of the event."""


class Answer(NamedTuple):
    """What came back. `status` none: nothing did, and `error` says why."""

    status: int | None
    error: str | None
    """None: delivered."""
    retry_after_s: float | None
    took_ms: int


class Delivered(NamedTuple):
    """It was taken."""


class Gone(NamedTuple):
    """410: it does not want to be told any more."""


class GivenUp(NamedTuple):
    """It was tried for long enough: a person has to look."""


class Later(NamedTuple):
    """It is tried again after so many seconds."""

    wait_s: float


Verdict = Delivered | Gone | GivenUp | Later


def decide(
    answer: Answer,
    failures: int,
    failing_s: float,
    spread: float,
    *,
    first_s: float,
    max_s: float,
    give_up_s: float,
) -> Verdict:
    """What follows from the answer, after `failures` in a row with it, the first `failing_s` ago."""
    if answer.error is None:
        return Delivered()
    if answer.status == HTTPStatus.GONE:
        return Gone()
    if failing_s >= give_up_s:
        return GivenUp()
    wait_s = back_off_s(failures, spread, first_s, max_s)
    if answer.retry_after_s is not None:
        wait_s = max(wait_s, min(answer.retry_after_s, RETRY_AFTER_MAX_S))
    return Later(wait_s)


def is_of_the_whole(answer: Answer) -> bool:
    """Whether a failure says something of the receiver: then all its events wait, else one partition's."""
    return answer.status is None or answer.status in _OF_THE_WHOLE


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds of a header Retry-After, which is a number of them or a date; none: it says nothing."""
    if text is None:
        return None
    if text.strip().isdecimal() and text.isascii():
        return min(float(text.strip()), RETRY_AFTER_MAX_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # numbers as long as somebody likes
        return None
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
