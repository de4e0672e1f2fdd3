"""An example of a record: key, headers and value, as they stand on the topic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel

from schemas.base import rfc3339
from schemas.envelope import Kind, headers

OPENING = datetime(2026, 11, 22, 1, 15, tzinfo=UTC)
"""A quarter past eight in the morning, in Vietnam."""


class Example(NamedTuple):
    """One record; headers and key as text."""

    kind: Kind
    key: str
    headers: dict[str, str]
    value: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Return what is written into the contract's folder."""
        return {"key": self.key, "headers": self.headers, "value": self.value}


def at(seconds: float) -> datetime:
    """Return the moment so many seconds after the story's beginning."""
    return OPENING + timedelta(seconds=seconds)


def example(
    kind: Kind, value: BaseModel, *, key: str, source: str, id_: UUID | str, time: datetime
) -> Example:
    """Return the record of `value`: only the fields that were set, as our workers write it."""
    named = headers(kind, id_=id_, source=source, subject=key, time=rfc3339(time))
    fields = value.model_dump(mode="json", exclude_unset=True)
    return Example(kind, key, {name: text.decode() for name, text in named}, fields)
