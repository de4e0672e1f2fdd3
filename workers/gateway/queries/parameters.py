"""Values of a statement that is put together from parts: never in its text, always behind it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID


class Parameters:
    """Gives each value its place, `$1` first."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def of(self, value: str | Iterable[str]) -> str:
        """The place of a text, or of an array of texts."""
        return self.text(value) if isinstance(value, str) else self.texts(value)

    def text(self, value: str) -> str:
        """The place of a text."""
        return self._add(value, "text")

    def texts(self, values: Iterable[str]) -> str:
        """The place of an array of texts."""
        return self._add(sorted(values), "text[]")

    def uuid(self, value: UUID) -> str:
        """The place of an id."""
        return self._add(value, "uuid")

    def uuids(self, values: Iterable[UUID]) -> str:
        """The place of an array of ids."""
        return self._add(list(values), "uuid[]")

    def moment(self, value: datetime) -> str:
        """The place of a point in time."""
        return self._add(value, "timestamptz")

    def number(self, value: int) -> str:
        """The place of a whole number."""
        return self._add(value, "int")

    def _add(self, value: object, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"
