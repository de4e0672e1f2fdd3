"""When rules change, or one opens: who waits for another than his own, or is offered by it, waits for his."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from schemas.definitions import Rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import is_anybody_left, wait, ways
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.matching import rule_for, still_fits, wants
from workers.routing.desk.offering import is_heard, offer_to_page, priority_of
from workers.routing.desk.roster import Entry


def rehome(draft: Draft) -> None:
    """Let the strays wait for the rule that holds now, each with his age; `drain` serves them in order.

    Who stays in the line of his rule has the place in it that this says now.
    """
    _move(draft, _strays(draft.desk, draft.place.at))
    for conversation in sorted(_misplaced(draft), key=_age):
        wait(draft, conversation, draft.desk.roster.rules[conversation.rule or ""])


def rehome_opened(draft: Draft) -> bool:
    """The same of those alone whom an earlier rule wants since its hours have begun; whether there was one.

    Also when they began long ago: then all whom it wanted have been moved, and nothing is done twice.
    """
    conversations, at = draft.desk.conversations.values(), draft.place.at
    return _move(
        draft, [one for one in conversations if one.is_waiting and _has_earlier(draft.desk, one, at)]
    )


def _move(draft: Draft, strays: Iterable[Conversation]) -> bool:
    moved = sorted(strays, key=_age)
    for conversation in moved:
        rule = rule_for(draft.desk, conversation, draft.place.at)
        if rule is not None:
            wait(draft, conversation, rule)
        elif conversation.rule is not None:
            offer_to_page(draft, conversation, None)
    return bool(moved)


def _strays(desk: Desk, at: datetime) -> Iterator[Conversation]:
    for conversation in desk.conversations.values():
        if not conversation.is_waiting:
            continue
        is_well = _fits if conversation.standing == "queued" else _is_offered_well
        if not is_well(desk, conversation) or _has_earlier(desk, conversation, at):
            yield conversation


def _misplaced(draft: Draft) -> Iterator[Conversation]:
    """Who waits with another priority than his rule gives him now."""
    desk, at = draft.desk, draft.place.at
    for rule in desk.queue.rules():
        entry = desk.roster.rules[rule]
        for waiting in desk.queue.line(rule):
            conversation = desk.conversations[waiting.key]
            if waiting.priority != priority_of(conversation, entry, at - waiting.queued_at):
                yield conversation


def _has_earlier(desk: Desk, conversation: Conversation, at: datetime) -> bool:
    """Whether a rule that comes before the one by which it waits wants it at `at`.

    That one's own hours do not matter: who waits at closing time keeps his rule. What a rule has given to its
    page's pool stays there.
    """
    own = desk.roster.rules.get(conversation.rule or "")
    if own is not None and (conversation.audience or "").startswith("page:"):
        return False
    for rule in desk.roster.rules_of(conversation.page):
        if own is not None and _waits_by(desk, conversation, rule, own):
            return False
        if wants(rule, conversation, at):
            return True
    return False


def _waits_by(desk: Desk, conversation: Conversation, rule: Entry[Rule], own: Entry[Rule]) -> bool:
    """Whether it is `rule` that has it wait by its `own`, or may have offered it by that as a fallback."""
    if conversation.standing == "queued":
        return rule is own
    return own in ways(desk, rule) and still_fits(rule, conversation)


def _fits(desk: Desk, conversation: Conversation) -> bool:
    rule = desk.roster.rules.get(conversation.rule or "")
    if rule is None or not still_fits(rule, conversation):
        return False
    return is_anybody_left(desk, conversation, rule)


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
