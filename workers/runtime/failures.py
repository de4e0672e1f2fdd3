"""How the runtime fails: each by its consequence."""

from __future__ import annotations

from config.error_text import told
from config.errors import DependencyError, FencedError, TongdaiError
from workers.runtime.protocol import EndTerm, TakeoverStep


class TermEndedError(Exception):
    """This term must end: another owns a lane, or an outcome is unknown. A new term begins by itself."""

    def __init__(self, reason: str, *, fenced: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fenced = fenced


def obey(step: TakeoverStep | None) -> None:
    """Raise TermEndedError when the protocol has decided that the term must end."""
    if isinstance(step, EndTerm):
        raise TermEndedError(step.reason, fenced=step.fenced)


class FencedTooOftenError(FencedError):
    """Fenced again and again within a minute: two workers fight, a person should look."""


class DependencyDownError(DependencyError):
    """Kafka or Postgres does not answer; the message says which and how it was asked."""


class LaneFailedError(Exception):
    """The handler raised too often in a row on this lane."""

    def __init__(self, lane: int, error: Exception) -> None:
        super().__init__(told(error))
        self.lane = lane


class UnconfirmedError(TongdaiError):
    """Kafka did not confirm a transaction: it may have happened or not, and its term must end."""


class TopologyError(TongdaiError):
    """The topics are not as the lanes need them: missing, or with unequal partition counts."""


class ConsumerCancelledError(TongdaiError):
    """aiokafka has cancelled itself: its consumer is dead, and another one is needed."""


class SideTaskEndedError(TongdaiError):
    """A task that should run for ever has ended."""
