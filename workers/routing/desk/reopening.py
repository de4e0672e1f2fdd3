"""A customer writes in a conversation that was `done`: its next round begins."""

from __future__ import annotations

from schemas.assignments import CareChanged, Why
from workers.routing.desk.access import is_of_rule
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import hand, let_go, overtake_transfer
from workers.routing.desk.matching import rule_for
from workers.routing.desk.methods import bar_to


def reopen(draft: Draft, conversation: Conversation, by: str | None = None) -> Conversation:
    """Let the next round begin; nobody has it yet. `by`: who wrote, if it was not the customer."""
    done = overtake_transfer(draft, conversation)
    next_round = done._replace(round=done.round + 1)
    now = draft.tell(CareChanged, next_round, **done.without_holder(), former_care=done.care, by=by)
    return let_go(draft, now, done.holder)


def to_the_same(draft: Draft, conversation: Conversation) -> bool:
    """Give it back to the agent who had it, if its rule would choose him now; that moves no cursor."""
    agent = conversation.last_holder
    rule = rule_for(draft.desk, conversation, draft.place.at)
    if agent is None or rule is None or not is_of_rule(draft.desk, agent, rule.definition.id):
        return False
    if bar_to(draft.desk, conversation, rule, agent) is not None:
        return False
    why = Why(
        method="reopened",
        rule=rule.definition.id,
        rule_version=rule.version,
        owner=rule.definition.owner,
        eligible=1,
    )
    hand(draft, conversation, agent, why)
    return True
