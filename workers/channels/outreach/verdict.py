"""How it goes on after an attempt. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.receipts import DeliveryReason
from workers.channels.outreach.result import Given, Result
from workers.outside.back_off import back_off_s


class Patience(NamedTuple):
    """How often, and at what distances, is tried."""

    first_s: float
    last_s: float
    attempts_max: int


class Step(NamedTuple):
    """How it stands next. `due_s`: it is tried again in so many seconds."""

    state: Literal["queued", "sent", "failed"]
    reason: DeliveryReason | None = None
    due_s: float | None = None
    failures: int = 0
    provider_id: str | None = None


def after(result: Result, failures: int, patience: Patience, spread: float) -> Step:
    """What follows from an attempt after `failures` in a row.

    `spread` from 0 to 1 parts those who fail together.
    """
    if isinstance(result, Given):
        return Step("sent", provider_id=result.id)
    if not result.again or failures + 1 >= patience.attempts_max:
        return Step("failed", result.reason, failures=failures + 1)
    wait_s = back_off_s(failures + 1, spread, patience.first_s, patience.last_s)
    return Step(
        "queued", result.reason, max(wait_s, min(result.retry_after_s, patience.last_s)), failures + 1
    )
