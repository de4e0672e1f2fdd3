"""What follows from one attempt: a pure decision."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from config.retry import Retry
from workers.outside.back_off import back_off_s
from workers.outside.retry_after import RETRY_AFTER_MAX_S

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
    retry: Retry,
    give_up_s: float,
) -> Verdict:
    """What follows from the answer, after `failures` in a row with it, the first `failing_s` ago."""
    if answer.error is None:
        return Delivered()
    if answer.status == HTTPStatus.GONE:
        return Gone()
    if failing_s >= give_up_s:
        return GivenUp()
    wait_s = back_off_s(failures, retry, spread)
    if answer.retry_after_s is not None:
        wait_s = max(wait_s, min(answer.retry_after_s, RETRY_AFTER_MAX_S))
    return Later(wait_s)


def is_of_the_whole(answer: Answer) -> bool:
    """Whether a failure says something of the receiver: then all its events wait, else one partition's."""
    return answer.status is None or answer.status in _OF_THE_WHOLE
