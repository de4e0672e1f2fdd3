"""What follows when a file could not be fetched. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal, NamedTuple

from config.attachments import AttachmentsSettings
from workers.files.refusal import FileRefusedError
from workers.outside.back_off import back_off_s

Reason = Literal["gone", "not_allowed", "too_large", "kind_not_taken", "empty", "too_slow", "unreachable"]
"""`gone`: its channel has it no more; `not_allowed`: its address is none from which anything is fetched."""
_FOR_GOOD = {"gone", "not_allowed", "too_large", "kind_not_taken", "empty"}
_TRIED_AGAIN = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


class Step(NamedTuple):
    """With `wait_s` it is tried again after so long, without it never."""

    reason: Reason
    wait_s: float | None = None


class NotFetchedError(Exception):
    """The file was not fetched."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def reason_of(status: int) -> Reason:
    """What an answer that brings no file means."""
    if status in _TRIED_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "unreachable"
    return "gone"


def after(
    error: NotFetchedError | FileRefusedError, failures: int, own: AttachmentsSettings, spread: float
) -> Step:
    """What follows from so many failures, this one among them; `spread`, from 0 to 1, parts those who fail
    together.
    """
    reason: Reason = error.code if isinstance(error, FileRefusedError) else error.reason
    if reason in _FOR_GOOD or failures >= own.fetch_attempts_max:
        return Step(reason)
    return Step(reason, back_off_s(failures, own.retry, spread))
