"""How it goes on after an attempt. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from config.retry import Retry
from schemas.receipts import DeliveryReason
from workers.channels.outreach.result import Given, NotGiven, Result, Unanswered
from workers.outside.back_off import back_off_s

UNANSWERED_MAX = 4
"""Attempts whose end nobody knows, after which it has failed: the customer may have it of each of them."""


class Step(NamedTuple):
    """How it stands next. `due_s`: it is tried again in so many seconds."""

    state: Literal["queued", "sent", "failed"]
    reason: DeliveryReason | None = None
    due_s: float | None = None
    failures: int = 0
    unanswered: int = 0
    provider_id: str | None = None


def after(
    result: Result, failures: int, unanswered: int, retry: Retry, attempts_max: int, spread: float
) -> Step:
    """What follows from an attempt.

    Args:
        result: what became of it.
        failures: attempts before it that were not taken.
        unanswered: those whose end nobody knows.
        retry: at what distances is tried.
        attempts_max: how often.
        spread: from 0 to 1, parts those who fail together.
    """
    reason: DeliveryReason
    match result:
        case Given(id=id_):
            return Step("sent", provider_id=id_)
        case Unanswered():
            reason, wish_s = "no_answer", 0.0
            unanswered += 1
            is_over = unanswered >= UNANSWERED_MAX
        case NotGiven(reason=reason, retry_after_s=wish_s):
            failures += 1
            is_over = not result.again or failures >= attempts_max
    if is_over:
        return Step("failed", reason, None, failures, unanswered)
    wait_s = back_off_s(failures + unanswered, retry, spread)
    return Step("queued", reason, max(wait_s, min(wish_s, retry.last_s)), failures, unanswered)
