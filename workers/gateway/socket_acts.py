"""What a client does over its socket, one thing after the other; what is refused is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from schemas.base import rfc3339
from workers.gateway.client_messages import Active, Away, DoCall, Look, Said, SignIn, Typing, Watch
from workers.gateway.connection import Connection, transient
from workers.gateway.problem import ApiError, Noted, too_many
from workers.gateway.socket_calls import SocketCalls

if TYPE_CHECKING:
    from workers.gateway.gateway import Gateway

TOLD_EVERY_S = 1.0
"""That somebody does too much is told so often; to tell it each time would be as much again."""


class SocketActs:
    """Those of one socket.

    Args:
        address: where it comes from, for the audit.
    """

    def __init__(self, gateway: Gateway, connection: Connection, address: str) -> None:
        self._gateway = gateway
        self._connection = connection
        self._address = address
        self._calls = SocketCalls(gateway, connection, address)
        self._told_s = -TOLD_EVERY_S

    async def take(self, said: Said) -> None:
        """Do what was said. Raises what Postgres raises."""
        limited_s = self._gateway.agent_rate.take(self._connection.identity.actor, time.monotonic())
        match said:
            case DoCall():
                await self._calls.begin(said, limited_s)
            case SignIn():  # never too much: a token that is not renewed ends the connection
                await self._renew(said.token)
            case _ if limited_s:
                self._refuse_limited(said.do, limited_s)
            case _:
                try:
                    await self._do(said)
                except ApiError as error:
                    self._refuse(
                        said.do, error, **said.model_dump(mode="json", include={"conversation", "page"})
                    )

    def end(self) -> None:
        """Nobody waits for answers any more."""
        self._calls.end()

    async def _do(self, said: Active | Away | Look | Watch | Typing) -> None:
        """Raises ApiError."""
        gateway, connection = self._gateway, self._connection
        match said:
            case Active():
                gateway.active(connection)
            case Away():
                gateway.active(connection, away=said.away)
            case Look(off=True):
                gateway.looking.look_away(connection, said.conversation)
            case Look():
                await gateway.queries.seen(connection.identity, said.conversation, self._address)
                await gateway.lines_tail.ready()
                gateway.looking.look(connection, said.conversation)
                gateway.visitors.tell(connection, said.conversation)
            case Watch(off=True):
                gateway.watching.watch_off(connection, said.page)
            case Watch():
                await gateway.queries.own_page(connection.identity, said.page, self._address)
                await gateway.lines_tail.ready()
                gateway.watching.watch(connection, said.page)
                connection.send(transient("watching", {"page": said.page}))
                gateway.visitors.tell_page(connection, said.page)
            case Typing():
                gateway.looking.type_in(connection, said.conversation, time.monotonic())

    async def _renew(self, token: str) -> None:
        if not await self._gateway.token_checks.renew(self._connection, token):
            identity = self._connection.identity
            noted = Noted("unauthenticated", identity.workspace, identity.actor, proven=True)
            self._gateway.audit.noted(noted, self._address, "ws")
            return
        until = self._connection.until
        self._connection.send(transient("renewed", {"until": rfc3339(until) if until else None}))

    def _refuse_limited(self, do: str, limited_s: float) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            self._refuse(do, too_many("You send too much.", limited_s), retry_after_s=round(limited_s, 3))

    def _refuse(self, do: str, error: ApiError, **more: Any) -> None:  # noqa: ANN401 - as a problem's details
        problem = error.problem
        said = {"do": do, "status": problem.status, "code": problem.code, "detail": problem.detail, **more}
        self._connection.send(transient("refused", said))
