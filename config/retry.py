"""How what has failed is tried again: one shape for all settings that say so."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from config.section import Section


class Retry(NamedTuple):
    """The waits between attempts double from the first to the last, in seconds."""

    first_s: float
    last_s: float


class RetrySection(Section):
    """A section that has such waits."""

    RETRY: ClassVar[tuple[str, str]] = ("retry_first_s", "retry_last_s")
    """Its settings of the first and the last."""

    @property
    def retry(self) -> Retry:
        """How long is waited."""
        first, last = self.RETRY
        return Retry(getattr(self, first), getattr(self, last))
