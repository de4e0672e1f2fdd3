"""When rules change: who waits for one that is not his any more, or is offered by it, waits for his own."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.definitions import Rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import wait, ways
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.matching import rule_for, still_fits
from workers.routing.desk.offering import is_heard, offer_to_page
from workers.routing.desk.roster import Entry


def rehome(draft: Draft) -> None:
    """Let the strays wait for the rule that holds now, each with his age; `drain` serves them in order."""
    for conversation in sorted(_strays(draft.desk), key=_age):
        rule = rule_for(draft.desk, conversation, draft.place.at)
        if rule is not None:
            wait(draft, conversation, rule)
        elif conversation.rule is not None:
            offer_to_page(draft, conversation, None)


def _strays(desk: Desk) -> Iterator[Conversation]:
    for conversation in desk.conversations.values():
        if conversation.standing == "queued" and not _fits(desk, conversation):
            yield conversation
        if conversation.standing == "offered" and not _is_offered_well(desk, conversation):
            yield conversation


def _fits(desk: Desk, conversation: Conversation) -> bool:
    rule = desk.roster.rules.get(conversation.rule or "")
    return rule is not None and still_fits(rule, conversation)


def _is_offered_well(desk: Desk, conversation: Conversation) -> bool:
    """Whether its offer is what its rule wants; a page's pool, once a rule has chosen it, is for good."""
    kind = (conversation.audience or "").partition(":")[0]
    rule = desk.roster.rules.get(conversation.rule or "")
    if rule is None or not any(rule in ways(desk, entry) for entry in _of(desk, conversation)):
        return False
    if kind == "admins":
        return rule.definition.method == "appoint"
    if kind == "rule":
        method = rule.definition.method
        return method == "self_claim" and is_heard(desk, conversation, rule, conversation.ring)
    return True


def _of(desk: Desk, conversation: Conversation) -> Iterator[Entry[Rule]]:
    """The rules that might have routed it."""
    return (entry for entry in desk.roster.rules_of(conversation.page) if still_fits(entry, conversation))


def _age(conversation: Conversation) -> tuple[object, ...]:
    return conversation.queued_at, conversation.queued_offset, conversation.key
