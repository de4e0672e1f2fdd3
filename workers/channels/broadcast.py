"""Short-lived words between processes, over Postgres: LISTEN and NOTIFY on one connection, nothing stored.

Lossy by design: what is too much or comes while Postgres is away is dropped, and said again a while later.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import asyncpg

from config.logging import get_logger
from config.settings import Settings
from workers.runtime.postgres import DATABASE_ERRORS

PAYLOAD_BYTES_MAX = 7_900
"""A notification of Postgres takes less than 8,000."""
FLUSH_EVERY_S = 0.1
WORDS_MAX = 250
"""In one flush: some tens of kilobytes."""
WAITING_MAX = 5_000
RECONNECT_S = 1.0
NOTIFY = "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said"

_log = get_logger(__name__)


class Word(Protocol):
    """Something that is said: a later one with the same key takes the place of one that still waits."""

    @property
    def key(self) -> Hashable:
        """What it is about."""


W = TypeVar("W", bound=Word)


class Broadcast(Generic[W]):
    """Tells other processes what is said here, and hears what they say.

    Args:
        name: of this connection, for operators.
        channel: where it says what it has to say.
        pack: texts that say some words, each small enough for a notification.
        hears: who takes the texts of which channels; a ValueError says that a text is none of ours.
        on_dropped: called for each word that is one too many.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        channel: str,
        pack: Callable[[Iterable[W]], Iterable[str]],
        hears: Mapping[str, Callable[[str], None]],
        on_dropped: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._name = name
        self._channel = channel
        self._pack = pack
        self._hears = hears
        self._on_dropped = on_dropped
        self._waiting: dict[Hashable, W] = {}

    def say(self, word: W) -> None:
        """Let the others know soon; never waits."""
        if word.key not in self._waiting and len(self._waiting) >= WAITING_MAX:
            self._on_dropped()
            return
        self._waiting[word.key] = word

    async def run(self) -> None:
        """Say and hear, until cancelled."""
        while True:
            try:
                async with self._connection() as connection:
                    while True:
                        await self._flush(connection)
                        await asyncio.sleep(FLUSH_EVERY_S)
            except DATABASE_ERRORS as error:
                _log.warning("broadcast_interrupted", channel=self._channel, error=error)
            await asyncio.sleep(RECONNECT_S)

    async def _flush(self, connection: Any) -> None:  # noqa: ANN401 - asyncpg's
        if connection.is_closed():
            raise ConnectionResetError("the connection is closed")
        if not self._waiting:
            return
        keys = list(islice(self._waiting, WORDS_MAX))
        texts = list(self._pack([self._waiting.pop(key) for key in keys]))
        await connection.execute(NOTIFY, self._channel, texts)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        postgres = self._settings.postgres
        connection = await asyncpg.connect(
            postgres.dsn.get_secret_value(),
            timeout=postgres.connect_timeout_s,
            command_timeout=postgres.command_timeout_s,
            server_settings={"application_name": self._name},
        )
        try:
            for channel in self._hears:
                await connection.add_listener(channel, self._hear)
            yield connection
        finally:
            connection.terminate()

    def _hear(self, *said: Any) -> None:  # noqa: ANN401 - asyncpg's: connection, process, channel, payload
        with suppress(ValueError):
            self._hears[said[2]](said[3])


def packed(speaker: str, parts: Iterable[str]) -> Iterable[str]:
    """JSON texts `["speaker",[part,…]]` with all parts in their order, each small enough for a notification.

    Args:
        parts: JSON, each well below the limit.
    """
    head = f'["{speaker}",['
    together: list[str] = []
    size = len(head) + 2
    for part in parts:
        part_bytes = len(part.encode()) + 1
        if together and size + part_bytes > PAYLOAD_BYTES_MAX:
            yield f"{head}{','.join(together)}]]"
            together, size = [], len(head) + 2
        together.append(part)
        size += part_bytes
    if together:
        yield f"{head}{','.join(together)}]]"
