"""Where the checks read from: real servers, or a history that a test has planted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, TypeVar

from checker.record import LogRecord

R = TypeVar("R", bound=tuple[object, ...])


class Committed(NamedTuple):
    """A group's offset of one partition, with its metadata."""

    offset: int
    metadata: str


class Source(Protocol):
    """Topics by their short names, tables by the type of their rows, and the groups' offsets."""

    def records(self, topic: str) -> Iterator[LogRecord]:
        """All readable records of `topic`, from the beginning; each partition in order of offsets."""

    def partitions(self, topic: str) -> int:
        """How many partitions `topic` has."""

    def log_id(self, topic: str) -> str:
        """What event ids call the log of `topic`."""

    def rows(self, kind: type[R]) -> Iterator[R]:
        """All rows of a table, in the order that their type names."""

    def ends(self, topic: str) -> Mapping[int, int]:
        """The offset after the last readable record or marker, by partition."""

    def held_back(self, topic: str) -> Mapping[int, int]:
        """How many offsets lie behind a transaction that has no end, by partition."""

    def committed(self, group: str) -> Mapping[tuple[str, int], Committed]:
        """What the group (`intake`, …) has committed, by topic and partition."""
