"""Timers: what runs out by itself. They follow from how things stand, so no decision arms or disarms one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from schemas.commands import TimerFired, TimerName
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk
from workers.routing.desk.gateways import SILENT_AFTER
from workers.routing.desk.offering import USUAL

TICK = timedelta(milliseconds=1)
"""Of the log's clock: what is due at a moment was to come still a tick before."""


class Timer(NamedTuple):
    """One thing that runs out."""

    name: TimerName
    subject: str
    """Key of the conversation, agent, rule or gateway that it is about."""
    due_at: datetime


def timers_of(conversation: Conversation) -> list[Timer]:
    """What runs out of one conversation."""
    return [
        Timer(name, conversation.key, due_at)
        for name, due in OF_CONVERSATION.items()
        if (due_at := due(conversation)) is not None
    ]


OF_CONVERSATION: dict[TimerName, Callable[[Conversation], datetime | None]] = {
    "offer": lambda one: one.offer_expires_at,
    "transfer": lambda one: one.transfer.expires_at if one.transfer else None,
    "block": lambda one: one.blocked_until,
    "offline": lambda one: one.absent_until,
    "quiet": lambda one: one.quiet_until,
}
"""When each of a conversation's timers is due; none: it is not armed."""


def timers_of_desk(desk: Desk, at: datetime) -> list[Timer]:
    """What runs out of the desk as a whole, as it stands at `at`."""
    return [timer for found in OF_DESK for timer in found(desk, at)]


def _urgent(desk: Desk, _: datetime) -> Iterator[Timer]:
    """When the oldest who waits as usual for a rule has waited long enough to go before the others."""
    for rule in desk.queue.rules():
        urgent_after_s = desk.roster.rules[rule].definition.urgent_after_s
        first = desk.queue.oldest(rule, USUAL) if urgent_after_s is not None else None
        if first is not None and urgent_after_s is not None:
            yield Timer("urgent", rule, first.queued_at + timedelta(seconds=urgent_after_s))


def _limits(desk: Desk, at: datetime) -> Iterator[Timer]:
    """While somebody waits: when a rule's limits bar one of its agents no more, or whom it falls back on."""
    if not desk.queue.rules():
        return
    for rule in desk.limited:
        if (
            until := min((until for until in desk.lifts_of(rule, at) if until > at), default=None)
        ) is not None:
            yield Timer("limits", rule, until)


def _hours(desk: Desk, _: datetime) -> Iterator[Timer]:
    """While anybody waits: when the next rule opens, which might want him."""
    openings = desk.openings.of_rules
    if desk.waiting and openings:
        opening, rule = min((opening, rule) for rule, opening in openings.items())
        yield Timer("hours", rule, opening)


def _gateways(desk: Desk, _: datetime) -> Iterator[Timer]:
    """When each gateway is lost, unless something is heard of it until then."""
    for gateway, alive_at in desk.gateways.items():
        if alive_at is not None:
            yield Timer("gateway", gateway, alive_at + SILENT_AFTER)


OF_DESK: tuple[Callable[[Desk, datetime], Iterable[Timer]], ...] = (_urgent, _limits, _hours, _gateways)
"""Each finds the timers of one kind."""


DESK_WIDE = [name for name in get_args(TimerName) if name not in OF_CONVERSATION]
"""The names of the timers that are about something else than a conversation."""


def is_armed(desk: Desk, fired: TimerFired) -> bool:
    """Whether the desk still waits for what has come."""
    timer = Timer(fired.timer, fired.subject, fired.due_at)
    if fired.timer not in OF_CONVERSATION:
        return timer in timers_of_desk(desk, fired.due_at - TICK)
    conversation = desk.conversations.get(fired.subject)
    return conversation is not None and timer in timers_of(conversation)
