"""Which rule a conversation belongs to: by its page or channel, and the facts that its customer brought."""

from __future__ import annotations

from datetime import datetime

from schemas.assignments import Facts
from schemas.definitions import Conditions, Rule
from schemas.ids import channel_of
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.desk import Desk
from workers.routing.desk.roster import Entry
from workers.routing.hours import are_open


def rule_for(desk: Desk, conversation: Conversation, at: datetime) -> Entry[Rule] | None:
    """The first rule, in the order of rules, that matches `conversation` at `at`; none: it is unrouted."""
    for rule in desk.roster.rules_of(conversation.page):
        if wants(rule, conversation, at):
            return rule
    return None


def wants(rule: Entry[Rule], conversation: Conversation, at: datetime) -> bool:
    """Whether `rule`, which names the conversation's page or channel, matches it at `at`."""
    conditions = rule.definition.conditions
    return _facts_fit(conditions, conversation.facts) and _is_time(conditions, at)


def still_fits(rule: Entry[Rule], conversation: Conversation) -> bool:
    """Whether `conversation`, which was routed by `rule`, could be again: whatever the hour is by now."""
    definition = rule.definition
    names = conversation.page in definition.pages or channel_of(conversation.page) in definition.channels
    return rule.active and names and _facts_fit(definition.conditions, conversation.facts)


def _facts_fit(conditions: Conditions, facts: Facts | None) -> bool:
    if not (conditions.tags or conditions.lists or conditions.languages):
        return True
    return facts is not None and (
        _one_of(conditions.tags, facts.tags)
        and _one_of(conditions.lists, facts.lists)
        and _speaks(conditions.languages, facts.language)
    )


def _one_of(asked: tuple[str, ...], found: tuple[str, ...]) -> bool:
    return not asked or not set(asked).isdisjoint(found)


def _speaks(asked: tuple[str, ...], language: str | None) -> bool:
    """Whether the channel's word for the language is one that is asked for: `en` asks for `en_US` too."""
    if not asked:
        return True
    said = _normal(language or "")
    return any(said == one or said.startswith(f"{one}-") for one in map(_normal, asked))


def _normal(language: str) -> str:
    return language.replace("_", "-").lower()


def _is_time(conditions: Conditions, at: datetime) -> bool:
    return conditions.hours is None or are_open(conditions.hours, at)
