"""Reads the rules of a desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from schemas.definitions import AGENTS_MAX, CHANNELS_MAX, DEPARTMENTS_MAX, PAGES_MAX, RULES_MAX, Method, Rule
from workers.workspace.condition_reader import read_conditions
from workers.workspace.nodes import Node
from workers.workspace.option_reader import OPTIONS, Backing, check_backings, read_options
from workers.workspace.reader import Reader
from workers.workspace.scope import Scope

METHODS: tuple[Method, ...] = get_args(Method)
_REQUIRED = ("id", "name", "owner")
_OPTIONAL = ("pages", "channels", "conditions", "agents", "departments", "method", *OPTIONS)


def read_rules(reader: Reader, node: Node | None, scope: Scope) -> Iterator[Rule]:
    """Yield the rules in their order; all that they name belongs to the desk."""
    backings: list[Backing] = []
    for item in reader.items(node, "rules", limit=RULES_MAX):
        fields = reader.fields(item, "a rule", _REQUIRED, _OPTIONAL)
        id_ = reader.slug(fields.get("id"), "a rule's id")
        who = f"the rule {id_}" if id_ else "a rule"
        name = reader.name(fields.get("name"), f"the name of {who}")
        owner = _owner(reader, fields.get("owner"), scope, who)
        pages = scope.pages.of_list(reader, fields.get("pages"), who, limit=PAGES_MAX)
        channels = _channels(reader, fields.get("channels"), f"channels of {who}")
        conditions = read_conditions(reader, fields.get("conditions"), scope, who)
        agents = scope.agents.of_list(reader, fields.get("agents"), who, limit=AGENTS_MAX)
        departments = scope.departments.of_list(reader, fields.get("departments"), who, limit=DEPARTMENTS_MAX)
        method = _method(reader, fields.get("method"), who)
        options = read_options(reader, fields, scope, who, backings)
        _check_somebody(reader, item, fields, who)
        if id_ and scope.rules.add(reader, fields["id"], id_) and name and owner and method:
            yield Rule(
                id=id_,
                name=name,
                owner=owner,
                pages=pages,
                channels=channels,
                conditions=conditions,
                agents=agents,
                departments=departments,
                method=method,
                **options,
            )
    check_backings(reader, backings, scope)


def _channels(reader: Reader, node: Node | None, what: str) -> tuple[str, ...]:
    items = reader.items(node, what, limit=CHANNELS_MAX)
    found = (reader.channel(item, f"one of {what}") for item in items)
    return tuple(dict.fromkeys(channel for channel in found if channel is not None))


def _owner(reader: Reader, node: Node | None, scope: Scope, who: str) -> str | None:
    owner = reader.text(node, f"the owner of {who}", "expected the id of an agent")
    if node is None or owner is None:
        return None
    return owner if reader.known(node, owner, "agent", scope.agents, f"the owner of {who}") else None


def _method(reader: Reader, node: Node | None, who: str) -> Method | None:
    if node is None:
        return METHODS[0]
    word = reader.choice(node, f"the method of {who}", METHODS)
    return next((method for method in METHODS if method == word), None)


def _check_somebody(reader: Reader, item: Node, fields: dict[str, Node], who: str) -> None:
    if fields and not fields.keys() & {"agents", "departments"}:
        reader.note(item, f"{who} names nobody who could answer", "add agents: […] or departments: […]")
    if fields and not fields.keys() & {"pages", "channels"}:
        reader.note(item, f"{who} names no page", "add pages: […] or channels: […]")
