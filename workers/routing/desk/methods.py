"""The methods by which a rule finds somebody: in turn, by load, by an offer to all, by its page's admins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from schemas.assignments import PassedOverReason, Why
from schemas.building import build
from schemas.definitions import Method, Rule
from workers.routing.desk.access import is_of_rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.duty import ABSENT, bar_in
from workers.routing.desk.handing import hand
from workers.routing.desk.offering import later_ring, offer_to_admins, offer_to_ring
from workers.routing.desk.ring import Bar, Ring, Turn
from workers.routing.desk.roster import Entry

Found = Callable[[Draft, Conversation, Entry[Rule], str | None], bool]
"""Finds somebody for a conversation by a rule, which may be the fallback of the one that is named; whether
it did."""


def round_robin(draft: Draft, conversation: Conversation, rule: Entry[Rule], fallback_of: str | None) -> bool:
    """Give it to the agent whose turn it is."""
    ring = draft.desk.rings[rule.definition.id]
    apart = draft.desk.barred_from(conversation)
    turn = ring.next(apart)
    if turn is None:
        return False
    hand(draft, conversation, turn.agent, _of_turn(rule, ring, turn, conversation, apart, fallback_of))
    return True


def least_busy(draft: Draft, conversation: Conversation, rule: Entry[Rule], fallback_of: str | None) -> bool:
    """Give it to the agent with the fewest open sessions; of several, to the longest without a new one."""
    desk, id_ = draft.desk, rule.definition.id
    apart = desk.barred_from(conversation)
    agent = desk.rankings[id_].least(apart)
    if agent is None:
        return False
    ring = desk.rings[id_]
    why = build(
        Why,
        {
            "method": "least_busy",
            "rule": id_,
            "rule_version": rule.version,
            "owner": rule.definition.owner,
            "eligible": ring.eligible_but(apart),
            "fallback_of": fallback_of,
            "passed_over": ring.barred(apart),
            "queued_at": conversation.waited_since,
        },
    )
    hand(draft, conversation, agent, why)
    return True


def self_claim(draft: Draft, conversation: Conversation, rule: Entry[Rule], fallback_of: str | None) -> bool:
    """Offer it to the first ring of which somebody is at work."""
    del fallback_of
    ring = later_ring(draft.desk, conversation, rule, 0)
    if ring is None:
        return False
    offer_to_ring(draft, conversation, rule, ring)
    return True


def appoint(draft: Draft, conversation: Conversation, rule: Entry[Rule], fallback_of: str | None) -> bool:
    """Let the page's admins name somebody."""
    del fallback_of
    offer_to_admins(draft, conversation, rule)
    return True


METHODS: dict[Method, Found] = {
    "round_robin": round_robin,
    "least_busy": least_busy,
    "self_claim": self_claim,
    "appoint": appoint,
}
IN_TURN: tuple[Method, ...] = ("round_robin", "least_busy")
"""Those that give a conversation to an agent of the rule who can be chosen; the others offer it."""


def last_agent(draft: Draft, conversation: Conversation, rule: Entry[Rule], fallback_of: str | None) -> bool:
    """Give it to the agent whom the customer had not long ago, if he can be chosen; that moves no cursor."""
    agent, held_at = conversation.last_holder, conversation.last_held_at
    within_s = rule.definition.last_agent_s
    if agent is None or held_at is None or within_s is None:
        return False
    if draft.place.at - held_at > timedelta(seconds=within_s):
        return False
    if not is_of_rule(draft.desk, agent, rule.definition.id):
        return False
    if bar_to(draft.desk, conversation, rule, agent) is not None:
        return False
    why = Why(
        method="last_agent",
        rule=rule.definition.id,
        rule_version=rule.version,
        owner=rule.definition.owner,
        eligible=1,
        fallback_of=fallback_of,
        queued_at=conversation.waited_since,
    )
    hand(draft, conversation, agent, why)
    return True


def bar_to(desk: Desk, conversation: Conversation, rule: Entry[Rule], agent: str) -> Bar:
    """Why the desk may not give `agent` this conversation by itself under `rule`, which may not list him."""
    duty = desk.duties.get(agent, ABSENT)
    bar, _ = bar_in(rule.definition, duty, desk.presence_of(agent), desk.at)
    return bar or desk.barred_from(conversation).get(agent)


def _of_turn(
    rule: Entry[Rule],
    ring: Ring,
    turn: Turn,
    conversation: Conversation,
    apart: Mapping[str, PassedOverReason],
    fallback_of: str | None,
) -> Why:
    """How it was found: enough to understand it, small enough to be in every event."""
    return build(
        Why,
        {
            "method": "round_robin",
            "rule": rule.definition.id,
            "rule_version": rule.version,
            "owner": rule.definition.owner,
            "cursor_before": ring.cursor,
            "cursor_after": turn.agent,
            "eligible": turn.eligible,
            "fallback_of": fallback_of,
            "passed_over": turn.passed_over,
            "candidates": ring.near(turn.agent, apart),
            "queued_at": conversation.waited_since,
        },
    )
