"""Glances between the gateways, over Postgres: LISTEN and NOTIFY on one connection, nothing stored.

Lossy by design: what is too much or comes while Postgres is away is dropped, and said again a while later.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Any

import asyncpg

from config.logging import get_logger
from config.settings import Settings
from workers.gateway.failures import DATABASE_ERRORS
from workers.gateway.glance import Glance, pack, unpack
from workers.gateway.metrics import GatewayMetrics

CHANNEL = "tongdai_glance"
FLUSH_EVERY_S = 0.1
GLANCES_MAX = 250
"""In one flush: some twenty kilobytes."""
WAITING_MAX = 5_000
RECONNECT_S = 1.0
NOTIFY = "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said"

_log = get_logger(__name__)


class Broadcast:
    """Tells the other gateways what is said here, and hears what is said there.

    Args:
        gateway: its id; what it hears of itself is passed over.
        on_heard: takes the other gateway's id and a glance.
    """

    def __init__(
        self,
        gateway: str,
        settings: Settings,
        metrics: GatewayMetrics,
        on_heard: Callable[[str, Glance], None],
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._metrics = metrics
        self._on_heard = on_heard
        # What waits; the last word on a place is the one that counts.
        self._waiting: dict[tuple[object, ...], Glance] = {}

    def say(self, glance: Glance) -> None:
        """Let the others know soon; never waits."""
        key = (*glance.place, glance.agents if glance.types else None)
        if key not in self._waiting and len(self._waiting) >= WAITING_MAX:
            self._metrics.glances_dropped.inc()
            return
        self._waiting[key] = glance

    async def run(self) -> None:
        """Say and hear, until cancelled."""
        while True:
            try:
                async with self._connection() as connection:
                    while True:
                        await self._flush(connection)
                        await asyncio.sleep(FLUSH_EVERY_S)
            except DATABASE_ERRORS as error:
                _log.warning("broadcast_interrupted", error=repr(error))
            await asyncio.sleep(RECONNECT_S)

    async def _flush(self, connection: Any) -> None:  # noqa: ANN401 - asyncpg's
        if connection.is_closed():
            raise ConnectionResetError("the connection is closed")
        if not self._waiting:
            return
        keys = list(islice(self._waiting, GLANCES_MAX))
        texts = list(pack(self._gateway, [self._waiting.pop(key) for key in keys]))
        await connection.execute(NOTIFY, CHANNEL, texts)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        postgres = self._settings.postgres
        connection = await asyncpg.connect(
            postgres.dsn.get_secret_value(),
            timeout=postgres.connect_timeout_s,
            command_timeout=postgres.command_timeout_s,
            server_settings={"application_name": "tongdai gateway glances"},
        )
        try:
            await connection.add_listener(CHANNEL, self._hear)
            yield connection
        finally:
            connection.terminate()

    def _hear(self, *said: Any) -> None:  # noqa: ANN401 - asyncpg's: connection, process, channel, payload
        with suppress(ValueError):
            gateway, glances = unpack(said[3])
            if gateway != self._gateway:
                for one in glances:
                    self._on_heard(gateway, one)
