"""Orders that other systems link to a customer, and the care statuses that speak of them.

An order comes as a command, so the desk knows in the log's order whether there was one when somebody said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from schemas.asks import LinkOrder
from schemas.assignments import CareStatus, OrderChanged
from schemas.definitions import OrderCheck, Policy
from schemas.orders import CONFIRMED, ORDERS_MAX, UNCONFIRMED, OrderStatus
from workers.routing.desk.access import administers, holds
from workers.routing.desk.appointing import not_holder
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.outcomes import Refusal, Result

SPOKEN_OF: Mapping[CareStatus, tuple[OrderStatus, ...]] = MappingProxyType(
    {"pending_close": UNCONFIRMED, "closed_won": CONFIRMED}
)
"""Of which orders a care status speaks: one that stands so must be there."""


def link_order(draft: Draft, conversation: Conversation, command: LinkOrder) -> Refusal | Result:
    """An order of its customer is new, stands otherwise, or is his no more."""
    if not holds(command, conversation) and not administers(draft.desk, command, conversation.page):
        return not_holder(draft.desk, conversation, command, instead="link_order")
    orders = dict(conversation.orders)
    former = orders.get(command.order)
    if former is None and command.status is not None and len(orders) >= ORDERS_MAX:
        sentence = f"a customer has at most {ORDERS_MAX} orders here: take some away, with no status"
        return Refusal("too_many", sentence)
    if command.status != former:
        conversation = draft.tell(
            OrderChanged,
            conversation,
            order=command.order,
            status=command.status,
            former_status=former,
            by=command.actor,
            command=command.idempotency_key,
        )
    return {"orders": dict(conversation.orders)}


def unmet(policy: Policy, conversation: Conversation, care: CareStatus) -> OrderCheck:
    """What lacks for `care`: `require` and `warn` when there is no such order; `off` when nothing does."""
    spoken_of = SPOKEN_OF.get(care)
    if spoken_of is None or any(status in spoken_of for _, status in conversation.orders):
        return "off"
    return next((check for named, check in policy.order_checks.items() if named == care), "off")


def order_required(conversation: Conversation, care: CareStatus) -> Refusal:
    """`care` without an order of which it could speak."""
    statuses = SPOKEN_OF[care]
    sentence = f"{care!r} needs an order of the customer that is {' or '.join(statuses)}"
    return Refusal("order_required", sentence, statuses, {"orders": dict(conversation.orders)})
