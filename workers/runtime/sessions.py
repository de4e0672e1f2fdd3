"""A term's sessions with Postgres: one, and another one while there is a backlog to work off by halves."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import structlog

from config.settings import Settings
from workers.runtime.failures import DependencyDownError
from workers.runtime.handler import Connection
from workers.runtime.ledger import prepare
from workers.runtime.postgres import connect, connection_lost, disconnect

log = structlog.get_logger(__name__)

RETRY_S = 30.0
"""A server that has no session left for a second one may have one later."""


@dataclass(slots=True)
class Sessions:
    """Both are prepared for batches. Who has opened them closes them."""

    kind: str
    settings: Settings
    first: Connection
    _second: Connection | None = None
    _tried_at: float | None = None

    @classmethod
    async def open(cls, kind: str, settings: Settings) -> Sessions:
        """The first one. Raises DependencyDownError when Postgres does not answer."""
        return cls(kind, settings, await _connect(kind, settings))

    async def second(self) -> Connection | None:
        """Another one, opened when this is first asked for; none: Postgres gives us none now."""
        if self._second is None and (self._tried_at is None or monotonic() - self._tried_at > RETRY_S):
            self._tried_at = monotonic()
            try:
                self._second = await _connect(self.kind, self.settings)
            except DependencyDownError as error:
                log.warning("no_second_session", kind=self.kind, error=error)
        return self._second

    def lost(self, error: BaseException) -> bool:
        """Whether `error` says that one of them is gone."""
        return any(connection_lost(error, connection) for connection in self._open())

    async def close(self) -> None:
        """Both at once: open transactions are rolled back by the server."""
        for connection in self._open():
            await disconnect(connection)

    def _open(self) -> list[Connection]:
        return [connection for connection in (self.first, self._second) if connection is not None]


PLANS = {
    # Rows are found by what names them, in one way: to plan that anew takes longer than to do it.
    "plan_cache_mode": "force_generic_plan",
    # A plan is made once for the session's life, often while tables are empty: going through all of them is
    # what it would never unlearn.
    "enable_seqscan": "off",
}
"""How a session plans."""


async def _connect(kind: str, settings: Settings) -> Connection:
    connection = await connect(settings, f"tongdai {kind}", **PLANS)
    try:
        await prepare(connection)
    except BaseException as error:
        lost = connection_lost(error, connection)
        await disconnect(connection)
        if lost:
            raise DependencyDownError(f"Postgres ended a new session: {error!r}") from error
        raise
    return connection
