"""A customer's tags change while a session is open: another rule may want him, or the same one sooner."""

from __future__ import annotations

from collections.abc import Collection

from schemas.assignments import FactsChanged
from schemas.definitions import Rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import drain, wait
from workers.routing.desk.decision import Draft
from workers.routing.desk.matching import rule_for, still_fits
from workers.routing.desk.offering import offer_to_page, priority_of
from workers.routing.desk.roster import Entry


def retag(draft: Draft, conversation: Conversation, tags: Collection[str]) -> Conversation:
    """Let these be the tags of an open session's customer; how the conversation stands then.

    Who is held stays with his agent: tags count when somebody is to be found.
    """
    facts = conversation.facts
    if facts is None or set(facts.tags) == set(tags):
        return conversation
    before = rule_for(draft.desk, conversation, draft.place.at)
    now = draft.tell(FactsChanged, conversation, facts=facts.model_copy(update={"tags": tuple(tags)}))
    if now.waited_since is not None:
        _wait_anew(draft, now, before)
    return draft.desk.conversations[now.key]


def _wait_anew(draft: Draft, conversation: Conversation, before: Entry[Rule] | None) -> None:
    """Let it wait, with its age, for the rule that wants it now, or in another place of the same line."""
    rule = rule_for(draft.desk, conversation, draft.place.at)
    if rule is not before or not _fits_its_line(draft, conversation):
        if rule is None:
            offer_to_page(draft, conversation, None)
        else:
            wait(draft, conversation, rule)
            drain(draft)
    elif conversation.waiting is not None:
        own = draft.desk.roster.rules[conversation.rule or ""]
        waited = draft.place.at - conversation.waiting.queued_at
        if priority_of(conversation, own, waited) != conversation.priority:
            wait(draft, conversation, own)


def _fits_its_line(draft: Draft, conversation: Conversation) -> bool:
    """Whether who stands in a rule's line, which may be closed by now, may go on standing there."""
    own = draft.desk.roster.rules.get(conversation.rule or "")
    return conversation.waiting is None or own is None or still_fits(own, conversation)
