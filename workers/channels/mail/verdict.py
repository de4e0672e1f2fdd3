"""How a mail goes on after an attempt. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from config.mail import MailSettings
from schemas.receipts import DeliveryReason
from workers.channels.mail.smtp import Given, Result
from workers.outside.back_off import back_off_s


class Step(NamedTuple):
    """How a mail stands next. `due_s`: it is tried again in so many seconds."""

    state: Literal["queued", "sent", "failed"]
    reason: DeliveryReason | None = None
    due_s: float | None = None
    failures: int = 0


def after(result: Result, failures: int, settings: MailSettings, spread: float) -> Step:
    """What follows from an attempt after `failures` in a row.

    `spread` from 0 to 1 parts those who fail together.
    """
    if isinstance(result, Given):
        return Step("sent")
    if not result.again or failures + 1 >= settings.attempts_max:
        return Step("failed", result.reason, failures=failures + 1)
    wait_s = back_off_s(failures + 1, spread, settings.retry_first_s, settings.retry_last_s)
    return Step("queued", result.reason, wait_s, failures + 1)
