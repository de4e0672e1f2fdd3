"""Finding somebody for a conversation that nobody holds: by its rule, by the queue, or by an offer."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime

from schemas.assignments import Assigned, Offered, Queued, Why
from schemas.definitions import Method, Rule
from workers.routing.desk.conversation import Conversation, Waiting
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.matching import rule_for, still_fits
from workers.routing.desk.ring import Ring, Turn
from workers.routing.desk.roster import Entry


def deal(draft: Draft, conversation: Conversation) -> None:
    """Give `conversation` to an agent of its rule, or let it wait for one; without a rule it is offered."""
    rule = rule_for(draft.desk, conversation, draft.place.at)
    if rule is None:
        offer(draft, conversation)
    elif not METHODS[rule.definition.method](draft, conversation, rule):
        wait(draft, conversation, rule)


def round_robin(draft: Draft, conversation: Conversation, rule: Entry[Rule]) -> bool:
    """Give it to the agent whose turn it is; false when nobody is eligible."""
    ring = draft.desk.rings[rule.definition.id]
    turn = ring.next()
    if turn is None:
        return False
    draft.tell(
        Assigned,
        conversation,
        **conversation.given_to(turn.agent),
        former_holder=conversation.holder,
        why=_why(rule, ring, turn, conversation),
    )
    return True


def _why(rule: Entry[Rule], ring: Ring, turn: Turn, conversation: Conversation) -> Why:
    """How it was found: enough to understand it, small enough to be in every event."""
    return Why(
        method=rule.definition.method,
        rule=rule.definition.id,
        rule_version=rule.version,
        cursor_before=ring.cursor,
        cursor_after=turn.agent,
        eligible=turn.eligible,
        passed_over=turn.passed_over,
        candidates=ring.near(turn.agent),
        queued_at=conversation.queued_at,
    )


METHODS: dict[Method, Callable[[Draft, Conversation, Entry[Rule]], bool]] = {"round_robin": round_robin}
"""How each method finds an agent; what it returns says whether it did."""


def wait(draft: Draft, conversation: Conversation, rule: Entry[Rule]) -> None:
    """Let it wait for an agent of `rule`. Who waits already keeps his age."""
    queued_at, queued_offset = _since(draft, conversation)
    draft.tell(
        Queued,
        conversation,
        standing="queued",
        rule=rule.definition.id,
        rule_version=rule.version,
        passed_over=draft.desk.rings[rule.definition.id].barred(),
        priority=conversation.priority,
        queued_at=queued_at,
        queued_offset=queued_offset,
    )


def offer(draft: Draft, conversation: Conversation) -> None:
    """No rule names its page: any agent of the page may take it."""
    queued_at, queued_offset = _since(draft, conversation)
    draft.tell(
        Offered,
        conversation,
        standing="offered",
        audience=f"page:{conversation.page}",
        unrouted=True,
        queued_at=queued_at,
        queued_offset=queued_offset,
    )


def _since(draft: Draft, conversation: Conversation) -> tuple[datetime, int]:
    """Since when it waits: who waited already keeps his age."""
    if conversation.queued_at is None or conversation.queued_offset is None:
        return draft.place.at, draft.place.cause.offset
    return conversation.queued_at, conversation.queued_offset


def rehome(draft: Draft) -> None:
    """Those who wait for a rule that is gone, or no longer names their page, wait for the one that does."""
    strays = [
        waiting
        for rule in draft.desk.queue.rules()
        for waiting in draft.desk.queue.line(rule)
        if not _still_names(draft.desk, rule, waiting)
    ]
    for waiting in sorted(strays):
        conversation = draft.desk.conversations[waiting.key]
        rule_now = rule_for(draft.desk, conversation, draft.place.at)
        if rule_now is None:
            offer(draft, conversation)
        else:
            wait(draft, conversation, rule_now)


def drain(draft: Draft) -> None:
    """Empty the queue, oldest first, as far as somebody is eligible. For when that may have changed."""
    desk = draft.desk
    heads: list[tuple[Waiting, str]] = []
    for rule in desk.queue.rules():
        _push_head(desk, rule, heads)
    while heads:
        waiting, rule = heapq.heappop(heads)
        entry = desk.roster.rules[rule]
        if METHODS[entry.definition.method](draft, desk.conversations[waiting.key], entry):
            _push_head(desk, rule, heads)


def _push_head(desk: Desk, rule: str, heads: list[tuple[Waiting, str]]) -> None:
    first = desk.queue.first(rule)
    if first is not None and desk.rings[rule].eligible:
        heapq.heappush(heads, (first, rule))


def _still_names(desk: Desk, rule: str, waiting: Waiting) -> bool:
    return still_fits(desk.roster.rules[rule], desk.conversations[waiting.key])
