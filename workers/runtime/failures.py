"""How the runtime fails: each by its consequence."""

from __future__ import annotations


class TermEndedError(Exception):
    """This term must end: another owns a lane, or an outcome is unknown. A new term begins by itself."""

    def __init__(self, reason: str, *, fenced: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fenced = fenced


class FencedTooOftenError(Exception):
    """Fenced again and again within a minute: two workers fight, a person should look."""


class DependencyDownError(Exception):
    """Kafka or Postgres does not answer; the message says which and how it was asked."""


class TopologyError(Exception):
    """The topics are not as the lanes need them: missing, or with unequal partition counts."""


class SideTaskEndedError(Exception):
    """A task that should run for ever has ended."""


class StuckError(Exception):
    """Lag stays above zero and nothing moves."""
