"""Which requests a client sends, seen in its bytes: the moments at which a wire may be cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

KAFKA_NAMES = {0: "produce", 26: "end_txn", 28: "offsets"}
"""By API key; `offsets` are those of a group within a transaction."""
_STATEMENTS = (b"BEGIN", b"COMMIT")
_BATCH = re.compile(rb"BEGIN.*EXECUTE advance \('(\w+)'")
"""Begins a batch of lanes of this kind."""
_LENGTH = 4
_BEFORE_THE_SESSION = {80877103, 80877104}
"""Codes of the requests for TLS and GSS, behind which Postgres's session still has to begin."""


class Requests(Protocol):
    """One connection's bytes on their way to the server."""

    def feed(self, chunk: bytes) -> list[str]:
        """The names of the requests that end in these bytes, which follow those before."""


class KafkaRequests:
    """Each is its length, which does not count itself, and its API key."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def feed(self, chunk: bytes) -> list[str]:
        """Those that have one of `KAFKA_NAMES`."""
        self._unread += chunk
        found = []
        while (body := _take(self._unread, 0, counts_itself=False)) is not None:
            found.append(KAFKA_NAMES.get(int.from_bytes(body[:2])))
        return [name for name in found if name]


class PostgresRequests:
    """Each is a letter and its length, which counts itself; those before the session have no letter."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._begun = False

    def feed(self, chunk: bytes) -> list[str]:
        """`begin` and `commit` for what begins with these words, and is sent as it stands; `begin desk`, too,
        for the beginning of a batch of that kind of lanes.
        """
        self._unread += chunk
        found: list[str] = []
        while True:
            letter = bytes(self._unread[:1]) if self._begun else b""
            body = _take(self._unread, 1 if self._begun else 0, counts_itself=True)
            if body is None:
                return found
            if letter == b"Q":
                found += _names(body)
            self._begun = self._begun or int.from_bytes(body[:4]) not in _BEFORE_THE_SESSION


def _names(statement: bytes) -> Iterator[str]:
    yield from (name.lower().decode() for name in _STATEMENTS if statement.startswith(name))
    if batch := _BATCH.match(statement):
        yield f"begin {batch[1].decode()}"


def _take(unread: bytearray, skip: int, *, counts_itself: bool) -> bytes | None:
    """The body of the next request, which leaves `unread`; none while a part of it is missing."""
    begin = skip + _LENGTH
    end = int.from_bytes(unread[skip:begin]) + (skip if counts_itself else begin)
    if len(unread) < begin or len(unread) < end:
        return None
    body = bytes(unread[begin:end])
    del unread[:end]
    return body
