"""Reads the conditions of a rule: tags, keyword lists, languages, business hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import get_args

from schemas.definitions import (
    DEFAULT_TIME_ZONE,
    TAGS_MAX,
    WORDS_MAX,
    Conditions,
    Hours,
    Stretch,
    Tag,
    Weekday,
)
from workers.routing.hours import is_time_zone
from workers.workspace.nodes import Node
from workers.workspace.reader import Reader
from workers.workspace.scope import Scope
from workers.workspace.values import read_choices, read_date, read_time, read_words

STRETCHES_MAX = 50
DAYS: tuple[Weekday, ...] = get_args(Weekday)


def read_conditions(reader: Reader, node: Node | None, scope: Scope, who: str) -> Conditions:
    """Return what a conversation must be; without any, every one is."""
    if node is None:
        return Conditions()
    of = f"conditions of {who}"
    fields = reader.fields(node, f"the {of}", (), ("tags", "lists", "languages", "hours"))
    return Conditions(
        tags=read_words(reader, fields.get("tags"), f"the tags of the {of}", Tag, limit=TAGS_MAX),
        lists=scope.lists.of_list(reader, fields.get("lists"), f"the {of}", limit=TAGS_MAX),
        languages=read_words(
            reader, fields.get("languages"), f"the languages of the {of}", Tag, limit=TAGS_MAX
        ),
        hours=read_hours(reader, fields.get("hours"), who),
    )


def read_hours(reader: Reader, node: Node | None, who: str) -> Hours | None:
    """Return business hours; none when nothing was said, or after noting a mistake."""
    if node is None:
        return None
    of = f"the hours of {who}"
    fields = reader.fields(node, of, ("stretches",), ("time_zone", "holidays"))
    stretches = tuple(_stretches(reader, fields.get("stretches"), of))
    if not stretches:
        return None
    return Hours(
        time_zone=_time_zone(reader, fields.get("time_zone"), of),
        stretches=stretches,
        holidays=tuple(_holidays(reader, fields.get("holidays"), of)),
    )


def _time_zone(reader: Reader, node: Node | None, of: str) -> str:
    expected = f"expected a time zone such as {DEFAULT_TIME_ZONE}"
    name = reader.text(node, f"the time zone of {of}", expected)
    if node is not None and name is not None and not is_time_zone(name):
        reader.note(node, f"the time zone of {of} is {name[:60]!r}", expected)
        return DEFAULT_TIME_ZONE
    return name or DEFAULT_TIME_ZONE


def _stretches(reader: Reader, node: Node | None, of: str) -> Iterator[Stretch]:
    if node is None:
        return
    for item in reader.items(node, f"stretches of {of}", limit=STRETCHES_MAX, at_least=1):
        what = f"a stretch of {of}"
        fields = reader.fields(item, what, ("days", "begins", "ends"))
        days: tuple[Weekday, ...] = ()
        if "days" in fields:
            days = read_choices(reader, fields["days"], f"the days of {what}", DAYS, at_least=1)
        begins = read_time(reader, fields.get("begins"), f"the begin of {what}")
        ends = read_time(reader, fields.get("ends"), f"the end of {what}")
        if days and begins is not None and ends is not None:
            yield Stretch(days=days, begins=begins, ends=ends)


def _holidays(reader: Reader, node: Node | None, of: str) -> Iterator[date]:
    for item in reader.items(node, f"holidays of {of}", limit=WORDS_MAX):
        day = read_date(reader, item, f"a holiday of {of}")
        if day is not None:
            yield day
