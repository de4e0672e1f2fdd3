"""Decisions on what runs out by itself; a timer that comes too early or is disarmed does nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from schemas.commands import TimerFired, TimerName
from workers.routing.desk import blocking, outside, transfers
from workers.routing.desk.absence import holder_answered, is_absent
from workers.routing.desk.dealing import drain, reassign, wait
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import take
from workers.routing.desk.offering import USUAL, next_ring
from workers.routing.desk.presence import lose_gateway
from workers.routing.desk.timers import is_armed


def timer_fired(draft: Draft, command: TimerFired) -> None:
    """Carry out what was to happen now.

    A worker's clock only proposes: what the log has before its time stays armed, and comes again.
    """
    if draft.place.at >= command.due_at and is_armed(draft.desk, command):
        EXPIRIES[command.timer](draft, command.subject)


def _hasten(draft: Draft, rule: str) -> None:
    """Those who have waited long enough go before the others; who is served first may change, not whether."""
    entry = draft.desk.roster.rules[rule]
    patience = timedelta(seconds=entry.definition.urgent_after_s or 0)
    for waiting in list(draft.desk.queue.line(rule)):
        if waiting.priority == USUAL and waiting.queued_at + patience <= draft.place.at:
            wait(draft, draft.desk.conversations[waiting.key], entry)


def _ask_others(draft: Draft, key: str) -> None:
    """Nobody of those who were asked has taken it in time."""
    next_ring(draft, draft.desk.conversations[key])


def _replace(draft: Draft, key: str) -> None:
    """His time is over: if he is not back, it is back in the pool of its page, where he may claim it too."""
    conversation = draft.desk.conversations[key]
    if not is_absent(draft, conversation):
        holder_answered(draft, conversation)
        return
    reassign(draft, take(draft, conversation, "offline", asked_again=True), "pool")
    drain(draft)


def _open(_: Draft, __: str) -> None:
    """A rule's business hours begin: who waits and is its own now is served, as before any command."""


EXPIRIES: dict[TimerName, Callable[[Draft, str], None]] = {
    "offer": _ask_others,
    "transfer": transfers.expire,
    "block": blocking.expire,
    "offline": _replace,
    "quiet": outside.expire,
    "urgent": _hasten,
    "hours": _open,
    "gateway": lose_gateway,
    "limits": lambda draft, _: drain(draft),
}
"""What each timer does to its subject."""
