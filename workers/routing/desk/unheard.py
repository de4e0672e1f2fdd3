"""Agents come or go: offers that call nobody any more wait, those whose time is over go on to who came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from schemas.definitions import Rule
from workers.routing.desk.access import is_of_rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import wait, ways
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk
from workers.routing.desk.matching import rule_for
from workers.routing.desk.offering import at_work, is_over, next_ring
from workers.routing.desk.roster import Entry

Called = Mapping[str, list[frozenset[str]]]
"""By rule and ring: who is at work."""


def call_anew(draft: Draft, agents: Iterable[str]) -> bool:
    """`agents` have come or gone: look at what is offered to rings in which they stand.

    What calls nobody any more waits, with its age; whether there was anything such: `drain` serves it in its
    turn.
    """
    desk = draft.desk
    moving = sorted(_moving(desk, _called(desk, set(agents))), key=_age)
    for conversation, is_unheard in moving:
        if is_unheard:
            wait(draft, conversation, _rule_of(draft, conversation))
        else:
            next_ring(draft, conversation)
    return any(is_unheard for _, is_unheard in moving)


def _rule_of(draft: Draft, conversation: Conversation) -> Entry[Rule]:
    """The rule that wants it, if its own is that or its fallback; else its own, which may have closed."""
    own = draft.desk.roster.rules[conversation.rule or ""]
    wanting = rule_for(draft.desk, conversation, draft.place.at)
    return wanting if wanting is not None and own in ways(draft.desk, wanting) else own


def _called(desk: Desk, agents: set[str]) -> Called:
    """Of the rules that offer to rings in which any of `agents` stands."""
    return {
        id_: [at_work(desk, entry, ring) for ring in range(len(entry.definition.next_rings) + 1)]
        for id_, entry in (desk.roster.rules.items() if desk.offers else ())
        if entry.definition.method == "self_claim" and any(is_of_rule(desk, agent, id_) for agent in agents)
    }


def _moving(desk: Desk, called: Called) -> Iterator[tuple[Conversation, bool]]:
    """What does not stay with its ring, and whether that is because nobody hears it.

    Otherwise its time is over, and of a later ring somebody has come who has not let it pass.
    """
    for key, rule in desk.offers.items():
        if rule is None or rule not in called:
            continue
        conversation, rings = desk.conversations[key], called[rule]
        heard = rings[conversation.ring]
        if heard <= conversation.declined:
            yield conversation, True
        elif is_over(desk, conversation):
            later = frozenset().union(*rings[conversation.ring + 1 :])
            if not later <= conversation.declined | heard:
                yield conversation, False


def _age(moving: tuple[Conversation, bool]) -> tuple[object, ...]:
    conversation, _ = moving
    return conversation.queued_at, conversation.queued_offset, conversation.key
