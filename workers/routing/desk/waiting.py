"""The waiting queue of a desk: a line per rule, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from sortedcontainers import SortedList

from workers.routing.desk.conversation import Waiting


class Lines:
    """The desk's own queue."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[str, SortedList] = {}

    def add(self, rule: str, waiting: Waiting) -> None:
        """Put `waiting` in the line of `rule`, at the place that its age gives it."""
        line = self._lines.get(rule)
        if line is None:
            line = self._lines[rule] = SortedList()
        line.add(waiting)

    def remove(self, rule: str, waiting: Waiting) -> None:
        """Take `waiting`, who stands there, out of the line of `rule`."""
        line = self._lines[rule]
        line.remove(waiting)
        if not line:
            del self._lines[rule]

    def holds(self, rule: str, waiting: Waiting) -> bool:
        """Whether `waiting` stands in the line of `rule`."""
        return waiting in self._lines.get(rule, ())

    def first(self, rule: str) -> Waiting | None:
        """Whose turn is next in the line of `rule`."""
        return self.at(rule, 0)

    def oldest(self, rule: str, priority: int) -> Waiting | None:
        """The oldest of this priority in the line of `rule`; none when the line has none such."""
        line = self._lines.get(rule, SortedList())
        index = line.bisect_left((priority,))
        waiting: Waiting | None = line[index] if index < len(line) else None
        return waiting if waiting is not None and waiting.priority == priority else None

    def at(self, rule: str, index: int) -> Waiting | None:
        """Who stands at `index`, from 0, in the line of `rule`."""
        line = self._lines.get(rule, ())
        waiting: Waiting | None = line[index] if index < len(line) else None
        return waiting

    def rules(self) -> list[str]:
        """The rules that somebody waits for."""
        return list(self._lines)

    def line(self, rule: str) -> Iterator[Waiting]:
        """All who wait for `rule`, oldest first."""
        return iter(self._lines.get(rule, ()))


class ForkedQueue:
    """A queue over another one, which is not touched. Emptying it from the head takes constant time each."""

    __slots__ = ("_added", "_base", "_heads", "_removed")

    def __init__(self, base: Lines) -> None:
        self._base = base
        self._added = Lines()
        self._removed: set[tuple[str, Waiting]] = set()
        self._heads: dict[str, int] = {}

    def add(self, rule: str, waiting: Waiting) -> None:
        """See Lines.add."""
        if (rule, waiting) in self._removed:
            self._removed.discard((rule, waiting))
            self._heads.pop(rule, None)
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
        head = self._heads.get(rule, 0)
        while (waiting := self._base.at(rule, head)) is not None and (rule, waiting) in self._removed:
            head += 1
        self._heads[rule] = head
        added = self._added.first(rule)
        return min((one for one in (waiting, added) if one is not None), default=None)

    def oldest(self, rule: str, priority: int) -> Waiting | None:
        """See Lines.oldest."""
        return next((waiting for waiting in self.line(rule) if waiting.priority == priority), None)

    def rules(self) -> list[str]:
        """See Lines.rules."""
        named = dict.fromkeys(chain(self._base.rules(), self._added.rules()))
        return [rule for rule in named if self.first(rule) is not None]

    def line(self, rule: str) -> Iterator[Waiting]:
        """See Lines.line."""
        kept = (one for one in self._base.line(rule) if (rule, one) not in self._removed)
        return iter(sorted(chain(kept, self._added.line(rule))))
