"""Reads the rules of a desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from schemas.definitions import AGENTS_MAX, PAGES_MAX, RULES_MAX, Method, Rule
from workers.workspace.nodes import Node
from workers.workspace.people_reader import DEPARTMENTS_MAX
from workers.workspace.reader import Reader
from workers.workspace.scope import Scope

METHODS: tuple[Method, ...] = get_args(Method)
_REQUIRED = ("id", "name", "owner", "pages")
_OPTIONAL = ("agents", "departments", "method")


def read_rules(reader: Reader, node: Node | None, scope: Scope) -> Iterator[Rule]:
    """Yield the rules in their order; all that they name belongs to the desk."""
    for item in reader.items(node, "rules", limit=RULES_MAX):
        fields = reader.fields(item, "a rule", _REQUIRED, _OPTIONAL)
        id_ = reader.slug(fields.get("id"), "a rule's id")
        who = f"the rule {id_}" if id_ else "a rule"
        name = reader.name(fields.get("name"), f"the name of {who}")
        owner = _owner(reader, fields.get("owner"), scope, who)
        pages = scope.pages.of_list(reader, fields.get("pages"), who, limit=PAGES_MAX)
        agents = scope.agents.of_list(reader, fields.get("agents"), who, limit=AGENTS_MAX)
        departments = scope.departments.of_list(reader, fields.get("departments"), who, limit=DEPARTMENTS_MAX)
        method = _method(reader, fields.get("method"), who)
        _check_somebody(reader, item, fields, who)
        if id_ and scope.rules.add(reader, fields["id"], id_) and name and owner and method:
            yield Rule(
                id=id_,
                name=name,
                owner=owner,
                pages=pages,
                agents=agents,
                departments=departments,
                method=method,
            )


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
