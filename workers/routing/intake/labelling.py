"""What agents write down of customers: labels and profile."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.actions import SetLabels, SetProfile
from schemas.envelope import Kind, time_text
from workers.routing.intake.act import Act, Answer
from workers.routing.intake.customer import Customer, labelled, profiled
from workers.routing.outcomes import Refusal

CUSTOMER_CHANGED = Kind("messages", "customer_changed")


def set_labels(act: Act[SetLabels]) -> Answer:
    """Add and take away tags and groups; rules choose by the tags from the next message on."""
    customer = labelled(_known(act), act.action)
    if isinstance(customer, Refusal):
        return customer
    _keep(act, customer)
    return {"tags": customer.tags, "groups": customer.groups}


def set_profile(act: Act[SetProfile]) -> Answer:
    """Change what is known."""
    customer = profiled(_known(act), act.action)
    _keep(act, customer)
    return {"profile": customer.profile}


def _known(act: Act[Any]) -> Customer:
    """The customer as he stands now; one of a conversation that began with this batch has nothing yet."""
    return act.given.customers.get(act.conversation.id, Customer())


def _keep(act: Act[Any], customer: Customer) -> None:
    if customer == _known(act):
        return
    conversation = act.conversation
    act.given.customers[conversation.id] = customer
    act.work.known_customers[conversation.id] = (conversation, customer)
    if set(customer.tags) != set(conversation.tags):
        conversation.touched_at_ms = None  # the next message tells the desk, however soon it comes
        act.work.change(conversation)
    conversation.tags = customer.tags
    value = {
        **conversation.facts,
        "page": conversation.page,
        "profile": customer.profile,
        "tags": customer.tags,
        "groups": customer.groups,
        "by": act.action.by or act.action.actor,
        "at": time_text(act.at_ms),
    }
    act.work.batch.emit(
        act.cause, CUSTOMER_CHANGED, key=act.cause.key, value=orjson.dumps(value), at_ms=act.at_ms
    )
