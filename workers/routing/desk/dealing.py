"""Finding somebody for a conversation that nobody holds: by its rule, by the queue, or by an offer."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Literal

from schemas.assignments import PassedOverReason, Queued, Why
from schemas.definitions import Rule
from workers.routing.desk.access import members
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.duty import ABSENT
from workers.routing.desk.handing import hand
from workers.routing.desk.matching import rule_for
from workers.routing.desk.methods import IN_TURN, METHODS, bar_to, last_agent
from workers.routing.desk.offering import offer_to_page, priority_of, since
from workers.routing.desk.roster import Entry


def deal(draft: Draft, conversation: Conversation) -> None:
    """Give `conversation` to an agent of its rule, or let it wait for one; without a rule it is offered."""
    rule = rule_for(draft.desk, conversation, draft.place.at)
    if rule is None:
        offer_to_page(draft, conversation, None)
    elif not find(draft, conversation, rule):
        wait(draft, conversation, rule)


def pool(draft: Draft, conversation: Conversation) -> None:
    """Offer it to all agents of its page."""
    offer_to_page(draft, conversation, rule_for(draft.desk, conversation, draft.place.at))


def reassign(draft: Draft, conversation: Conversation, then: Literal["pool", "next"] | None = None) -> None:
    """Let somebody else have it whose session is open; by default as its rule wants it after a refusal."""
    if not conversation.session_open or conversation.blocked:
        return
    rule = rule_for(draft.desk, conversation, draft.place.at)
    if (then or (rule.definition.after_refusal if rule else "pool")) == "pool":
        pool(draft, conversation)
    else:
        deal(draft, conversation)


def find(draft: Draft, conversation: Conversation, rule: Entry[Rule]) -> bool:
    """Give or offer it to somebody of `rule`, or as its fallback says; whether there was somebody."""
    for entry in ways(draft.desk, rule):
        fallback_of = None if entry is rule else rule.definition.id
        if last_agent(draft, conversation, entry, fallback_of):
            return True
        if METHODS[entry.definition.method](draft, conversation, entry, fallback_of):
            return True
    return _to_fallback_agent(draft, conversation, rule)


def wait(draft: Draft, conversation: Conversation, rule: Entry[Rule]) -> None:
    """Let it wait for an agent of `rule`; when all of them have declined it, in the pool of its page.

    Who waits already keeps his age.
    """
    if not is_anybody_left(draft.desk, conversation, rule):
        offer_to_page(draft, conversation, rule)
        return
    queued_at, queued_offset = since(draft, conversation)
    ring = draft.desk.rings[rule.definition.id]
    apart = draft.desk.barred_from(conversation)
    draft.tell(
        Queued,
        conversation,
        standing="queued",
        rule=rule.definition.id,
        rule_version=rule.version,
        passed_over=ring.barred(apart),
        limit=next((limit for limit in LIMITS if ring.is_barred_by(limit, apart)), None),
        priority=priority_of(conversation, rule, draft.place.at - queued_at),
        queued_at=queued_at,
        queued_offset=queued_offset,
    )


def is_anybody_left(desk: Desk, conversation: Conversation, rule: Entry[Rule]) -> bool:
    """Whether somebody of `rule`, or of those on which it falls back, may still get it one day: not all have
    declined it."""
    if not conversation.declined:
        return True
    left = (agent for agent in _named(desk, rule) if agent not in conversation.declined)
    return any(desk.duties.get(agent, ABSENT).bar != "inactive" for agent in left)


def _named(desk: Desk, rule: Entry[Rule]) -> Iterator[str]:
    """All whom `rule`, and those on which it falls back, can ask."""
    for entry in ways(desk, rule):
        definition = entry.definition
        for ring in range(len(definition.next_rings) + 1):
            yield from members(desk, definition.id, ring)
        if definition.fallback.agent is not None:
            yield definition.fallback.agent


def drain(draft: Draft) -> None:
    """Empty the queue, in its order, as far as somebody is eligible. For when that may have changed."""
    desk = draft.desk
    heads = [
        (head, rule) for rule in desk.queue.rules() if _serves(desk, rule) for head in desk.queue.heads(rule)
    ]
    heapq.heapify(heads)
    while heads:
        waiting, rule = heapq.heappop(heads)
        if not find(draft, desk.conversations[waiting.key], desk.roster.rules[rule]):
            continue
        following = desk.queue.head(rule, waiting.group)
        if following is not None and _serves(desk, rule):
            heapq.heappush(heads, (following, rule))


LIMITS: tuple[PassedOverReason, ...] = ("gap", "window")
"""A rule's own, which keep somebody waiting for agents who are there and free."""


def _serves(desk: Desk, rule: str) -> bool:
    """Whether anybody at all could be found for `rule`: a quick look before the careful ones."""
    entry = desk.roster.rules[rule]
    return entry.definition.fallback.kind != "wait" or (
        entry.definition.method not in IN_TURN or desk.rings[rule].eligible > 0
    )


def ways(desk: Desk, rule: Entry[Rule]) -> Iterator[Entry[Rule]]:
    """The rule and, one after the other, those that shall be asked when nobody of the one before is there."""
    seen: set[str] = set()
    next_: Entry[Rule] | None = rule
    while next_ is not None and next_.active and next_.definition.id not in seen:
        yield next_
        seen.add(next_.definition.id)
        fallback = next_.definition.fallback
        next_ = desk.roster.rules.get(fallback.id or "") if fallback.kind == "rule" else None


def _to_fallback_agent(draft: Draft, conversation: Conversation, rule: Entry[Rule]) -> bool:
    """Give it to the agent whom the last of the rules names for the case that nobody is there."""
    *_, last = ways(draft.desk, rule)
    agent = last.definition.fallback.agent
    if agent is None:
        return False
    if bar_to(draft.desk, conversation, last, agent) is not None:
        return False
    why = Why(
        method="fallback",
        rule=last.definition.id,
        rule_version=last.version,
        owner=last.definition.owner,
        eligible=1,
        fallback_of=rule.definition.id,
        queued_at=conversation.waited_since,
    )
    hand(draft, conversation, agent, why)
    return True
