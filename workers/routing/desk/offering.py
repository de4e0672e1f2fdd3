"""Offers: those of an audience may take a conversation, and the first who claims has it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime, timedelta
from itertools import islice

from schemas.assignments import Offered
from schemas.definitions import Rule
from workers.routing.desk.access import is_at_work, members
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.roster import Entry

VIP, URGENT, USUAL = 0, 1, 2
NAMED_MAX = 200
"""Of those who are asked, an event names so many at most."""


def offer_to_page(draft: Draft, conversation: Conversation, rule: Entry[Rule] | None) -> None:
    """Any agent of the page may take it; without a rule it counts as unrouted."""
    _offer(draft, conversation, rule, audience=f"page:{conversation.page}", unrouted=rule is None)


def offer_to_admins(draft: Draft, conversation: Conversation, rule: Entry[Rule]) -> None:
    """The page's admins shall name somebody."""
    _offer(draft, conversation, rule, audience=f"admins:{conversation.page}")


def offer_to_ring(
    draft: Draft,
    conversation: Conversation,
    rule: Entry[Rule],
    ring: int,
    *,
    ends: bool = True,
    let_pass: tuple[str, ...] = (),
) -> None:
    """The first of one of the rule's rings to claim has it; when there is no later one, it waits there."""
    timeout_s = rule.definition.offer_timeout_s
    ends = ends and ring < len(rule.definition.next_rings)
    _offer(
        draft,
        conversation,
        rule,
        audience=f"rule:{rule.definition.id}/{ring}",
        ring=ring,
        agents=tuple(islice(_asked(draft.desk, conversation, rule, ring), NAMED_MAX)),
        expires_at=draft.place.at + timedelta(seconds=timeout_s) if ends and timeout_s else None,
        let_pass=let_pass,
    )


def since(draft: Draft, conversation: Conversation) -> tuple[datetime, int]:
    """Since when it waits: since its session began, or from now on if that was not kept yet when it did."""
    if conversation.queued_at is None or conversation.queued_offset is None:
        return draft.place.at, draft.place.cause.offset
    return conversation.queued_at, conversation.queued_offset


def next_ring(draft: Draft, conversation: Conversation) -> None:
    """Its offer's time is over: the next ring is asked, and who let it pass is not asked again by the desk.

    When nobody of a later ring can be asked by now, this one goes on being asked until somebody of one comes.
    """
    rule = draft.desk.roster.rules[conversation.rule or ""]
    passed = tuple(_asked(draft.desk, conversation, rule, conversation.ring))
    left = conversation.changed({"declined": conversation.declined.union(passed)})
    later = later_ring(draft.desk, left, rule, conversation.ring + 1)
    if later is None:
        offer_to_ring(draft, conversation, rule, conversation.ring, ends=False)
    else:
        offer_to_ring(draft, left, rule, later, let_pass=passed)


def later_ring(desk: Desk, conversation: Conversation, rule: Entry[Rule], first: int) -> int | None:
    """The first of the rule's rings, from `first`, of which somebody can be asked."""
    rings = range(first, len(rule.definition.next_rings) + 1)
    return next((ring for ring in rings if is_heard(desk, conversation, rule, ring)), None)


def is_over(desk: Desk, conversation: Conversation) -> bool:
    """Whether the time of its offer to a ring is over, which goes on: there was nobody of a later one."""
    if conversation.offer_expires_at is not None:
        return False
    rule = desk.roster.rules[conversation.rule or ""].definition
    return rule.offer_timeout_s is not None and conversation.ring < len(rule.next_rings)


def over(desk: Desk) -> frozenset[str]:
    """Keys of what is offered to rings and whose time there is over."""
    offered = (key for key, rule in desk.offers.items() if rule is not None)
    return frozenset(key for key in offered if is_over(desk, desk.conversations[key]))


def time_anew(draft: Draft, before: Container[str]) -> None:
    """The rules are others: an offer that has got a time, or a ring behind its own, has that time from now.

    It is not over, unless it was `before`.
    """
    desk = draft.desk
    for key in sorted(over(desk)):
        if key not in before:
            conversation = desk.conversations[key]
            rule = desk.roster.rules[conversation.rule or ""]
            offer_to_ring(draft, conversation, rule, conversation.ring)


def is_heard(desk: Desk, conversation: Conversation, rule: Entry[Rule], ring: int) -> bool:
    """Whether an offer to this ring calls anybody."""
    return any(_asked(desk, conversation, rule, ring))


def at_work(desk: Desk, rule: Entry[Rule], ring: int) -> frozenset[str]:
    """Whom an offer to this ring calls, but for those who have declined."""
    return frozenset(_at_work(desk, rule, ring))


def _at_work(desk: Desk, rule: Entry[Rule], ring: int) -> Iterator[str]:
    listed = members(desk, rule.definition.id, ring)
    return (agent for agent in listed if is_at_work(desk, agent, rule.definition))


def _asked(desk: Desk, conversation: Conversation, rule: Entry[Rule], ring: int) -> Iterator[str]:
    """Whom of the ring an offer calls: those who are at work, and have not declined it."""
    return (agent for agent in _at_work(desk, rule, ring) if agent not in conversation.declined)


def _offer(draft: Draft, conversation: Conversation, rule: Entry[Rule] | None, **fields: object) -> None:
    queued_at, queued_offset = since(draft, conversation)
    draft.tell(
        Offered,
        conversation,
        standing="offered",
        **{"unrouted": False, **fields},
        rule=rule.definition.id if rule else None,
        rule_version=rule.version if rule else None,
        priority=priority_of(conversation, rule, draft.place.at - queued_at),
        queued_at=queued_at,
        queued_offset=queued_offset,
    )


def priority_of(conversation: Conversation, rule: Entry[Rule] | None, waited: timedelta) -> int:
    """Whom the rule puts before others: 0 by his tags, 1 for having waited long enough, 2 nobody else."""
    if rule is None:
        return USUAL
    tags = conversation.facts.tags if conversation.facts else ()
    if not set(rule.definition.vip_tags).isdisjoint(tags):
        return VIP
    urgent_after_s = rule.definition.urgent_after_s
    return URGENT if urgent_after_s is not None and waited.total_seconds() >= urgent_after_s else USUAL
