"""Connections live as long as their tokens: warned before the end, renewed in place, ended with a reason."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

from config.logging import get_logger
from schemas.base import rfc3339
from workers.gateway.connection import TOKEN_ENDED, Connection, transient
from workers.gateway.hub import Hub
from workers.gateway.problem import ApiError
from workers.gateway.verifier import TokenVerifier
from workers.runtime.postgres import DATABASE_ERRORS

CHECK_EVERY_S = 2.0
LOOK_UP_EVERY = 15
"""One check in so many asks Postgres whether the account and the sign-in are still what they were."""
WARNED_BEFORE = timedelta(seconds=30)
"""The shortest token lives for a minute."""

_log = get_logger(__name__)


class TokenChecks:
    """Looks after the tokens of all connections of this gateway."""

    def __init__(self, hub: Hub, verifier: TokenVerifier) -> None:
        self._hub = hub
        self._verifier = verifier

    async def run(self) -> None:
        """End connections whose token has ended, or whose account or sign-in is not what it was."""
        for number in count():
            for connection in self._hub.all():
                if number % LOOK_UP_EVERY == 0:
                    await self._look_up(connection)
                look_at_clock(connection, datetime.now(UTC))
            await asyncio.sleep(CHECK_EVERY_S)

    async def renew(self, connection: Connection, token: str) -> bool:
        """Let a connection go on with a new token of the same sign-in; else it ends. Whether it goes on."""
        try:
            verified = await self._verifier.verify(token)
        except ApiError:
            connection.close(TOKEN_ENDED)
            return False
        if verified.identity != connection.identity:
            connection.close(TOKEN_ENDED)
            return False
        connection.token, connection.until = token, verified.until
        return True

    async def _look_up(self, connection: Connection) -> None:
        try:
            await self.renew(connection, connection.token)
        except DATABASE_ERRORS as error:
            _log.warning("token_unchecked", error=error)


def look_at_clock(connection: Connection, now: datetime) -> None:
    """End a connection whose token has ended; warn, once for each token, who has little time left."""
    until = connection.until
    if until is None:
        return
    if until <= now:
        connection.close(TOKEN_ENDED)
    elif until - now <= WARNED_BEFORE and connection.warned_of != until:
        connection.warned_of = until
        connection.send(transient("token_ends", {"at": rfc3339(until)}))
