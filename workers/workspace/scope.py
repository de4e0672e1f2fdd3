"""Which names exist while a file is read, so that a wrong one is told at its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from workers.workspace.nodes import Node
from workers.workspace.reader import Reader


class Names(Collection[str]):
    """The names of one kind, with the line in which each stands."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._lines: dict[str, int] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, reader: Reader, node: Node, name: str) -> bool:
        """Take in a new name; one that is there already is a mistake."""
        if name in self._lines:
            expected = f"keep one; the first is in line {self._lines[name]}"
            reader.note(node, f"the {self.kind} {name!r} stands twice", expected)
            return False
        self._lines[name] = node.line
        return True

    def of_list(self, reader: Reader, node: Node | None, who: str, *, limit: int) -> tuple[str, ...]:
        """Return the names in a list; each must be known, and stand there once."""
        return self.of_items(reader, reader.items(node, f"{self.kind}s of {who}", limit=limit), who)

    def of_items(self, reader: Reader, items: Iterable[Node], who: str) -> tuple[str, ...]:
        """Return the names that `items` are; each must be known, and stand there once."""
        named = Names(self.kind)
        for item in items:
            name = reader.text(item, f"a {self.kind} of {who}", f"expected the id of a {self.kind}")
            if name and reader.known(item, name, self.kind, self, who):
                named.add(reader, item, name)
        return tuple(named)


@dataclass(frozen=True)
class Taken:
    """Names that belong to one desk of the workspace only."""

    agents: Names = field(default_factory=lambda: Names("agent"))
    pages: Names = field(default_factory=lambda: Names("page"))


@dataclass(frozen=True)
class Scope:
    """The names of one desk."""

    taken: Taken
    agents: Names = field(default_factory=lambda: Names("agent"))
    departments: Names = field(default_factory=lambda: Names("department"))
    pages: Names = field(default_factory=lambda: Names("page"))
    rules: Names = field(default_factory=lambda: Names("rule"))
    lists: Names = field(default_factory=lambda: Names("keyword list"))

    def add_agent(self, reader: Reader, node: Node, id_: str) -> bool:
        """Take in an agent's id, unless a desk of the workspace has it."""
        return self.agents.add(reader, node, id_) and self.taken.agents.add(reader, node, id_)

    def add_page(self, reader: Reader, node: Node, id_: str) -> bool:
        """Take in a page's id, unless a desk of the workspace has it."""
        return self.pages.add(reader, node, id_) and self.taken.pages.add(reader, node, id_)
