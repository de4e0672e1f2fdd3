"""The waiting queue of a desk: a line per rule, in the order of turns.

A line consists of groups in which the same agents can be chosen for everybody: when nobody can be for the
first of a group, the others of it need not be looked at, however many they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import chain

from sortedcontainers import SortedList

from workers.routing.desk.conversation import Group, Waiting


class Lines:
    """The desk's own queue."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[str, dict[Group, SortedList]] = {}

    def add(self, rule: str, waiting: Waiting) -> None:
        """Put `waiting` in the line of `rule`, at the place that its priority and age give it."""
        groups = self._lines.setdefault(rule, {})
        group = groups.get(waiting.group)
        if group is None:
            group = groups[waiting.group] = SortedList()
        group.add(waiting)

    def remove(self, rule: str, waiting: Waiting) -> None:
        """Take `waiting`, who stands there, out of the line of `rule`."""
        groups = self._lines[rule]
        group = groups[waiting.group]
        group.remove(waiting)
        if not group:
            del groups[waiting.group]
        if not groups:
            del self._lines[rule]

    def holds(self, rule: str, waiting: Waiting) -> bool:
        """Whether `waiting` stands in the line of `rule`."""
        return waiting in self._lines.get(rule, {}).get(waiting.group, ())

    def first(self, rule: str) -> Waiting | None:
        """Whose turn is next in the line of `rule`."""
        return min(self.heads(rule), default=None)

    def heads(self, rule: str) -> list[Waiting]:
        """The first of each group in the line of `rule`."""
        return [group[0] for group in self._lines.get(rule, {}).values()]

    def head(self, rule: str, group: Group) -> Waiting | None:
        """The first of one group in the line of `rule`."""
        return self.at(rule, group, 0)

    def oldest(self, rule: str, priority: int) -> Waiting | None:
        """The oldest of this priority in the line of `rule`; none when the line has none such."""
        found = []
        for group in self._lines.get(rule, {}).values():
            index = group.bisect_left((priority,))
            found += [one for one in group[index : index + 1] if one.priority == priority]
        return min(found, default=None)

    def at(self, rule: str, group: Group, index: int) -> Waiting | None:
        """Who stands at `index`, from 0, in a group of the line of `rule`."""
        line = self._lines.get(rule, {}).get(group, ())
        waiting: Waiting | None = line[index] if index < len(line) else None
        return waiting

    def rules(self) -> list[str]:
        """The rules that somebody waits for."""
        return list(self._lines)

    def groups(self, rule: str) -> list[Group]:
        """The groups in the line of `rule`."""
        return list(self._lines.get(rule, ()))

    def line(self, rule: str) -> Iterator[Waiting]:
        """All who wait for `rule`, in their order."""
        return merge(*self._lines.get(rule, {}).values())


class ForkedQueue:
    """A queue over another one, which is not touched. Emptying it from the heads takes constant time each."""

    __slots__ = ("_added", "_base", "_heads", "_removed")

    def __init__(self, base: Lines) -> None:
        self._base = base
        self._added = Lines()
        self._removed: set[tuple[str, Waiting]] = set()
        self._heads: dict[tuple[str, Group], int] = {}

    def add(self, rule: str, waiting: Waiting) -> None:
        """See Lines.add."""
        if (rule, waiting) in self._removed:
            self._removed.discard((rule, waiting))
            self._heads.pop((rule, waiting.group), None)
        else:
            self._added.add(rule, waiting)

    def remove(self, rule: str, waiting: Waiting) -> None:
        """See Lines.remove."""
        if self._added.holds(rule, waiting):
            self._added.remove(rule, waiting)
        else:
            self._removed.add((rule, waiting))

    def first(self, rule: str) -> Waiting | None:
        """See Lines.first."""
        return min(self.heads(rule), default=None)

    def heads(self, rule: str) -> list[Waiting]:
        """See Lines.heads."""
        groups = dict.fromkeys(chain(self._base.groups(rule), self._added.groups(rule)))
        found = (self.head(rule, group) for group in groups)
        return [waiting for waiting in found if waiting is not None]

    def head(self, rule: str, group: Group) -> Waiting | None:
        """See Lines.head."""
        index = self._heads.get((rule, group), 0)
        while (waiting := self._base.at(rule, group, index)) is not None and (rule, waiting) in self._removed:
            index += 1
        self._heads[rule, group] = index
        added = self._added.head(rule, group)
        return min((one for one in (waiting, added) if one is not None), default=None)

    def oldest(self, rule: str, priority: int) -> Waiting | None:
        """See Lines.oldest."""
        return next((waiting for waiting in self.line(rule) if waiting.priority == priority), None)

    def rules(self) -> list[str]:
        """See Lines.rules."""
        named = dict.fromkeys(chain(self._base.rules(), self._added.rules()))
        return [rule for rule in named if self.heads(rule)]

    def line(self, rule: str) -> Iterator[Waiting]:
        """See Lines.line."""
        kept = (one for one in self._base.line(rule) if (rule, one) not in self._removed)
        return merge(kept, self._added.line(rule))
