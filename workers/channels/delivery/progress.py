"""How a message goes on after an attempt, and its page with it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from config.delivery import DeliverySettings
from schemas.receipts import DeliveryReason
from workers.channels.delivery.result import Failed, Taken, Unanswered
from workers.outside.back_off import back_off_s

State = Literal["queued", "sent", "failed", "unknown"]


class Standing(NamedTuple):
    """A message while it is on its way: the ids of the parts that are taken, of how many."""

    ids: Sequence[str]
    parts: int
    failures: int = 0
    """Of the channel, in a row."""
    page_failures: int = 0
    """The same of all that is sent for the page."""
    resent: bool = False
    """Whether the next part was given once more already, because no answer and no echo came."""


class Step(NamedTuple):
    """How a message stands next. `due_s`: in so many seconds something happens with it; none: nothing."""

    state: State
    ids: Sequence[str]
    reason: DeliveryReason | None = None
    due_s: float | None = None
    failures: int = 0


class Calm(NamedTuple):
    """The channel works for this page."""


class Troubled(NamedTuple):
    """Nothing is sent for the page, or for its whole app, for some seconds."""

    seconds: float
    of_app: bool = False


class Paused(NamedTuple):
    """Nothing is sent until somebody has mended it; tried again with one message after some seconds."""

    reason: DeliveryReason
    seconds: float


class Expired(NamedTuple):
    """The page's token is not valid any more."""


PageStep = Calm | Troubled | Paused | Expired


def after(
    result: Taken | Unanswered | Failed, was: Standing, settings: DeliverySettings, spread: float
) -> tuple[Step, PageStep | None]:
    """What follows from giving the next part to the channel.

    Args:
        result: what became of it.
        was: the message before.
        settings: how often and how long is tried.
        spread: from 0 to 1, parts those who fail together.
    """
    match result:
        case Taken(id=id_):
            return taken(was, id_), Calm()
        case Unanswered():
            wait = Step("unknown", was.ids, "no_answer", settings.echo_wait_s, was.failures)
            return wait, Troubled(back_off_s(was.page_failures + 1, settings.retry, spread))
        case Failed(means="refused"):
            return Step("failed", was.ids, result.reason), Calm()
        case Failed():
            return _waiting(result, was, settings, spread), _page_step(result, was, settings, spread)


def taken(was: Standing, id_: str) -> Step:
    """The channel has the next part: the one after it follows at once."""
    ids = (*was.ids, id_)
    return Step("sent", ids) if len(ids) >= was.parts else Step("queued", ids, due_s=0.0)


def settle(was: Standing, settings: DeliverySettings) -> Step:
    """The channel has not shown what it was given: the operators' rule holds, for each part once."""
    if settings.unanswered == "resend" and not was.resent:
        return Step("queued", was.ids, "no_answer", 0.0, was.failures)
    return Step("unknown", was.ids, "no_answer")


def _waiting(failed: Failed, was: Standing, settings: DeliverySettings, spread: float) -> Step:
    if failed.means != "again":
        return Step("queued", was.ids, failed.reason, 0.0, was.failures)
    failures = was.failures + 1
    if failures >= settings.attempts_max:
        return Step("failed", was.ids, failed.reason)
    return Step("queued", was.ids, failed.reason, back_off_s(failures, settings.retry, spread), failures)


def _page_step(failed: Failed, was: Standing, settings: DeliverySettings, spread: float) -> PageStep:
    if failed.means == "token":
        return Expired()
    if failed.means == "stop":
        return Paused(failed.reason, settings.pause_retry_s)
    seconds = back_off_s(was.page_failures + 1, settings.retry, spread)
    return Troubled(max(seconds, failed.retry_after_s or 0.0), failed.of_app)
