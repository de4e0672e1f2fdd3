"""Reads what tickets can say, and which care statuses ask for orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from schemas.definitions import OrderCheck, OrderedCare
from schemas.tickets import (
    CHOICES_MAX,
    FIELDS_MAX,
    VALUE_CHARS_MAX,
    Choice,
    FieldType,
    TicketField,
    mistake_of,
)
from workers.workspace.nodes import Node
from workers.workspace.reader import Reader
from workers.workspace.scope import Names
from workers.workspace.values import read_switch, read_words

NUMBER_MAX = 999_999_999
TYPES: tuple[str, ...] = get_args(FieldType)
CARES: tuple[str, ...] = get_args(OrderedCare)
CHECKS: tuple[str, ...] = get_args(OrderCheck)
_OPTIONS = ("type", "required", "choices", "chars_max", "least", "most")


def read_ticket_fields(reader: Reader, node: Node | None) -> Iterator[TicketField]:
    """Yield the fields in their order."""
    names = Names("ticket field")
    for item in reader.items(node, "ticket_fields", limit=FIELDS_MAX):
        fields = reader.fields(item, "a ticket field", ("id", "name"), _OPTIONS)
        id_ = reader.slug(fields.get("id"), "a ticket field's id")
        of = f"the ticket field {id_}" if id_ else "a ticket field"
        name = reader.name(fields.get("name"), f"the name of {of}")
        said = _options(reader, fields, of)
        if not (id_ and names.add(reader, fields["id"], id_) and name):
            continue
        field = TicketField(
            id=id_, name=name, **{key: value for key, value in said.items() if value is not None}
        )
        if wrong := mistake_of(field):
            reader.note(item, f"{of} cannot be used", wrong)
        yield field


def read_order_checks(reader: Reader, node: Node | None) -> dict[str, str]:
    """Return how each care status that speaks of orders checks them."""
    if node is None:
        return {}
    fields = reader.fields(node, "order_checks of the policy", (), CARES)
    checks = {
        care: reader.choice(fields.get(care), f"{care} of order_checks", CHECKS)
        for care in CARES
        if care in fields
    }
    return {care: check for care, check in checks.items() if check in CHECKS}


def _options(reader: Reader, fields: dict[str, Node], of: str) -> dict[str, Any]:
    return {
        "type": reader.choice(fields.get("type"), f"the type of {of}", TYPES),
        "required": read_switch(reader, fields.get("required"), f"required of {of}"),
        "choices": read_words(
            reader, fields["choices"], f"the choices of {of}", Choice, limit=CHOICES_MAX, at_least=1
        )
        if "choices" in fields
        else None,
        "chars_max": reader.integer(fields.get("chars_max"), f"chars_max of {of}", 1, VALUE_CHARS_MAX),
        "least": reader.integer(fields.get("least"), f"least of {of}", 0, NUMBER_MAX),
        "most": reader.integer(fields.get("most"), f"most of {of}", 0, NUMBER_MAX),
    }
