"""What is written down of customers: labels and profile by agents, the rest by what becomes known."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.actions import SetLabels, SetProfile
from schemas.envelope import Kind, time_text
from workers.routing.intake.act import Act, Answer
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.customer import Customer, labelled, profiled
from workers.routing.intake.given import Given
from workers.routing.intake.touching import tell_tags
from workers.routing.intake.work import Work
from workers.routing.outcomes import Refusal
from workers.runtime.batch import Record

CUSTOMER_CHANGED = Kind("messages", "customer_changed")


def set_labels(act: Act[SetLabels]) -> Answer:
    """Add and take away tags and groups; rules choose by the tags from here on."""
    customer = labelled(act.given.customer(act.conversation), act.action)
    if isinstance(customer, Refusal):
        return customer
    _keep(act, customer)
    return {"tags": customer.tags, "groups": customer.groups}


def set_profile(act: Act[SetProfile]) -> Answer:
    """Change what is known."""
    customer = profiled(act.given.customer(act.conversation), act.action)
    _keep(act, customer)
    return {"profile": customer.profile}


def keep(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    given: Given,
    customer: Customer,
    *,
    by: str | None,
    is_renamed: bool = False,
) -> bool:
    """Have a customer stored as he stands now, and told, if that or his name on the channel is another.

    Whether he has other tags: of them the desk is still to be told.
    """
    before = given.customer(conversation)
    if customer == before and not is_renamed:
        return False
    work.change_picture(conversation, before.picture, customer.picture)
    given.customers[conversation.id] = customer
    work.known_customers[conversation.id] = (conversation, customer)
    has_other_tags = set(customer.tags) != set(conversation.tags)
    conversation.tags = customer.tags
    value = {
        **conversation.facts,
        "page": conversation.page,
        "channel_name": conversation.customer_name,
        **customer._asdict(),
        "by": by,
        "at": time_text(at_ms),
    }
    work.batch.emit(cause, CUSTOMER_CHANGED, key=cause.key, value=orjson.dumps(value), at_ms=at_ms)
    return has_other_tags


def _keep(act: Act[Any], customer: Customer) -> None:
    by = act.action.by or act.action.actor
    if keep(act.work, act.conversation, act.cause, act.at_ms, act.given, customer, by=by):
        tell_tags(act.work, act.conversation, act.cause, act.at_ms)
