"""Reads the small values of a workspace file: switches, words, times of day, dates, seconds."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, time
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.definitions import Seconds
from workers.workspace.nodes import Node
from workers.workspace.reader import Reader

T = TypeVar("T")

_SECONDS: TypeAdapter[int] = TypeAdapter(Seconds)
SECONDS_MAX = 30 * 24 * 60 * 60


def read_switch(reader: Reader, node: Node | None, what: str) -> bool | None:
    """Return what was switched on or off; none when nothing was said, or after noting a mistake."""
    word = reader.choice(node, what, ("true", "false"))
    return word == "true" if word in ("true", "false") else None


def read_seconds(
    reader: Reader, node: Node | None, what: str, low: int = 1, high: int = SECONDS_MAX
) -> int | None:
    """Return a number of seconds."""
    return reader.integer(node, f"{what}, in seconds,", low, high)


def read_words(
    reader: Reader,
    node: Node | None,
    what: str,
    type_: Any,  # noqa: ANN401 - an annotated type
    *,
    limit: int,
    at_least: int = 0,
) -> tuple[str, ...]:
    """Return a list of texts, each of `type_`."""
    adapter: TypeAdapter[str] = TypeAdapter(type_)
    items = reader.items(node, what, limit=limit, at_least=at_least)
    found = (_word(reader, item, f"one of {what}", adapter) for item in items)
    return tuple(dict.fromkeys(word for word in found if word is not None))


def read_text(
    reader: Reader,
    node: Node | None,
    what: str,
    type_: Any,  # noqa: ANN401 - an annotated type
) -> str | None:
    """Return a text of `type_`."""
    return _word(reader, node, what, TypeAdapter(type_))


def read_choices(
    reader: Reader, node: Node | None, what: str, words: Collection[T], *, at_least: int = 0
) -> tuple[T, ...]:
    """Return a list of some of `words`."""
    known = {str(word): word for word in words}
    items = reader.items(node, what, limit=len(known), at_least=at_least)
    found = (reader.choice(item, f"one of {what}", tuple(known)) for item in items)
    return tuple(dict.fromkeys(known[word] for word in found if word in known))


def read_time(reader: Reader, node: Node | None, what: str) -> time | None:
    """Return a time of day, written as 08:30."""
    return _parsed(reader, node, what, "expected a time such as 08:30", _time)


def read_date(reader: Reader, node: Node | None, what: str) -> date | None:
    """Return a day, written as 2027-02-06."""
    return _parsed(reader, node, what, "expected a date such as 2027-02-06", date.fromisoformat)


def _time(text: str) -> time:
    at = time.fromisoformat(text)
    if at.tzinfo is not None:
        raise ValueError(text)
    return at


def _parsed(
    reader: Reader, node: Node | None, what: str, expected: str, parse: Callable[[str], T]
) -> T | None:
    text = reader.text(node, what, expected)
    if node is None or text is None:
        return None
    try:
        return parse(text)
    except ValueError:
        reader.note(node, f"{what} is {text[:60]!r}", expected)
        return None


def _word(reader: Reader, node: Node | None, what: str, adapter: TypeAdapter[str]) -> str | None:
    text = reader.text(node, what, "expected a text")
    if node is None or text is None:
        return None
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        reader.note(node, f"{what} is {text[:60]!r}", error.errors()[0]["msg"])
        return None
