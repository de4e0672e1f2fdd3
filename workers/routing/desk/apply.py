"""`apply(desk, event)`: what an event changes. The desk is the fold of its events, and so are its tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel

from schemas.assignments import Assigned, ChainEvent, Confirmed, Means, ReplyRefused
from schemas.commands import Vacate
from schemas.ids import channel_of
from schemas.outcomes import Done, Outcome, Refused
from schemas.roster import (
    AgentChanged,
    DepartmentChanged,
    PageChanged,
    PolicyChanged,
    PresenceChanged,
    RuleChanged,
)
from workers.routing.desk.chain import SPECIAL, after
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk
from workers.routing.desk.duty import OFFLINE, Whereabouts
from workers.routing.desk.gateways import GatewayHeard
from workers.routing.desk.roster import Entry
from workers.routing.outcomes import KEY_REUSED

GIVEN: frozenset[Means] = frozenset(("round_robin", "least_busy", "last_agent", "fallback"))
"""The means by which the desk itself gives somebody a new conversation: limits on these count them."""


class Step(NamedTuple):
    """A conversation before an event, and after it."""

    before: Conversation | None
    now: Conversation


class Decided(NamedTuple):
    """One event of a decision, with its `ce_id`."""

    id: str
    event: BaseModel
    step: Step | None = None
    """What it makes of its conversation, when that was worked out while it was decided."""


def apply(desk: Desk, decided: Decided) -> None:
    """Change `desk` in place as the event says."""
    desk.advance(decided.event.at)  # type: ignore[attr-defined]  # every event says when
    _APPLY[type(decided.event)](desk, decided.event, decided)


def _chain(desk: Desk, event: ChainEvent, decided: Decided) -> None:
    before = desk.conversations.get(event.key)
    step = decided.step
    now = step.now if step and step.before is before else after(event, decided.id, before)
    desk.conversations[event.key] = now
    _burden(desk, before, now)
    if now.standing == "queued" or (before is not None and before.standing == "queued"):
        _wait(desk, before, now)
    desk.note(before, now)


def _burden(desk: Desk, before: Conversation | None, now: Conversation) -> None:
    was, is_ = before.carried if before else None, now.carried
    if was == is_:
        return
    channel = channel_of(now.page)
    for carried, sessions in ((was, -1), (is_, 1)):
        if carried is not None:
            agent, silent = carried
            desk.bear(agent, sessions, channel, silent=silent)


def _wait(desk: Desk, before: Conversation | None, now: Conversation) -> None:
    was = before.waiting if before else None
    if before and before.rule and was:
        desk.edit_queue().remove(before.rule, was)
    if now.rule and (waiting := now.waiting):
        desk.edit_queue().add(now.rule, waiting)


def _assigned(desk: Desk, event: Assigned, decided: Decided) -> None:
    _chain(desk, event, decided)
    why = event.why
    if why.rule is not None and why.cursor_after is not None:
        desk.rings[why.rule] = desk.rings[why.rule].turned_to(why.cursor_after)
    if event.holder is not None:
        desk.give(event.holder, by_itself=why.method in GIVEN)


def _nothing(_: Desk, __: ReplyRefused | Vacate, ___: Decided) -> None:
    """Told to who keeps the answer, the chain goes on without it; or to be decided on when its turn comes."""


def _agent(desk: Desk, event: AgentChanged, _: Decided) -> None:
    desk.set_agent(Entry(event.agent, event.version, not event.removed))


def _department(desk: Desk, event: DepartmentChanged, _: Decided) -> None:
    entry = Entry(event.department, event.version, not event.removed)
    desk.edit_roster().departments[event.department.id] = entry


def _page(desk: Desk, event: PageChanged, _: Decided) -> None:
    desk.edit_roster().pages[event.page.id] = Entry(event.page, event.version, not event.removed)


def _rule(desk: Desk, event: RuleChanged, _: Decided) -> None:
    desk.set_rule(Entry(event.rule, event.version, not event.removed, event.position), event.ring)


def _policy(desk: Desk, event: PolicyChanged, _: Decided) -> None:
    roster = desk.edit_roster()
    roster.policy, roster.policy_version = event.policy, event.version


def _presence(desk: Desk, event: PresenceChanged, _: Decided) -> None:
    since = desk.whereabouts.get(event.agent, OFFLINE).since if event.presence == event.former else event.at
    desk.place(event.agent, Whereabouts(event.gateways, event.version, since))


def _gateway(desk: Desk, event: GatewayHeard, _: Decided) -> None:
    desk.hear(event.gateway, None if event.lost else event.at)


def _outcome(desk: Desk, event: Outcome, _: Decided) -> None:
    if isinstance(event, Refused) and event.code == KEY_REUSED:
        return
    desk.outcomes[event.actor, event.idempotency_key] = event


_APPLY: dict[type[BaseModel], Callable[[Desk, Any, Decided], None]] = {
    **dict.fromkeys((Confirmed, *SPECIAL), _chain),
    Assigned: _assigned,
    **dict.fromkeys((ReplyRefused, Vacate), _nothing),
    AgentChanged: _agent,
    DepartmentChanged: _department,
    PageChanged: _page,
    RuleChanged: _rule,
    PolicyChanged: _policy,
    PresenceChanged: _presence,
    GatewayHeard: _gateway,
    Done: _outcome,
    Refused: _outcome,
}
