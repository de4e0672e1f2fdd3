"""Reads tables from Postgres, row by row, all in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

import psycopg

from checker.rows import QUERIES

R = TypeVar("R", bound=tuple[object, ...])
_ROWS_A_FETCH = 10_000


class Tables:
    """One read-only transaction.

    Raises psycopg.Error when the database cannot be reached or read.
    """

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn)
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def rows(self, kind: type[R]) -> Iterator[R]:
        """The rows of one table, streamed."""
        with self._connection.cursor(name=kind.__name__) as cursor:
            cursor.itersize = _ROWS_A_FETCH
            for row in cursor.execute(QUERIES[kind].encode()):
                yield kind(*row)
