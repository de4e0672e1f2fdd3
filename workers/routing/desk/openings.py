"""When the business hours of a desk's rules begin next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.definitions import Rule
from workers.routing.desk.roster import Entry
from workers.routing.hours import open_next

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
AFTER_ALL = datetime.max.replace(tzinfo=UTC)


class Openings(NamedTuple):
    """Of each rule that has hours and is in force."""

    of_rules: Mapping[str, datetime] = {}
    """Before all, while it was not looked up: a desk that is loaded does that with its first command."""
    first_at: datetime = AFTER_ALL

    def over(self, at: datetime) -> list[str]:
        """The rules whose hours have begun by `at`."""
        return [rule for rule, opening in self.of_rules.items() if opening <= at]

    def awaited(self, rules: Iterable[Entry[Rule]], at: datetime) -> Openings:
        """The same, with these rules looked up: what comes next after `at`."""
        found = {rule.definition.id: _opening(rule, at) for rule in rules}
        known = {**self.of_rules, **found}
        left = {rule: opening for rule, opening in known.items() if opening is not None}
        return Openings(left, min(left.values(), default=AFTER_ALL))


def _opening(rule: Entry[Rule], at: datetime) -> datetime | None:
    hours = rule.definition.conditions.hours
    if hours is None or not rule.active:
        return None
    return BEFORE_ALL if at == BEFORE_ALL else open_next(hours, at)
