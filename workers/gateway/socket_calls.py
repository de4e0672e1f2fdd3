"""Commands over a socket: sent in their order, answered when their outcomes are known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from schemas import asks
from workers.gateway.answers import Answer, answer_of, answer_of_error
from workers.gateway.asker import Asker, Sent
from workers.gateway.calls import CALLS_BY_NAME, BulkBody, CapacityBody, LeaveBody
from workers.gateway.client_messages import DoCall
from workers.gateway.connection import Connection
from workers.gateway.problem import ApiError, invalid, not_found, too_many

if TYPE_CHECKING:
    from workers.gateway.gateway import Gateway

UNDER_WAY_MAX = 32
"""Of one socket."""
BULK = "bulk"
OF_AGENTS = ("set_capacity", "set_leave")
"""What a socket takes besides the commands on one conversation."""


class SocketCalls:
    """Those of one socket."""

    def __init__(self, gateway: Gateway, connection: Connection, address: str) -> None:
        self._gateway = gateway
        self._connection = connection
        self._address = address
        self._waiting: set[asyncio.Task[None]] = set()

    async def begin(self, said: DoCall, limited_s: float) -> None:
        """Send a command; returns when Kafka has it, so that the next one comes behind it."""
        try:
            if limited_s or len(self._waiting) >= UNDER_WAY_MAX:
                raise too_many("You send too many commands.", limited_s or 1.0)
            sent = await self._sending(said)
        except ApiError as error:
            self._count(said, error.code)
            self._answer(said, answer_of_error(error))
            return
        self._gateway.active(self._connection)
        task = asyncio.create_task(self._finish(said, sent))
        self._waiting.add(task)
        # Not within the task: cancelled before its first step, it would never come to it.
        task.add_done_callback(partial(self._ended, sent))

    def end(self) -> None:
        """Nobody waits for the answers any more; the commands are carried out all the same."""
        for task in self._waiting:
            task.cancel()

    def _ended(self, sent: Sent, task: asyncio.Task[None]) -> None:
        sent.close()
        self._waiting.discard(task)

    def _sending(self, said: DoCall) -> Awaitable[Sent]:
        """Raises ApiError."""
        commanding = self._gateway.commanding
        asker = Asker(self._connection.identity, self._address, said.idempotency_key)
        try:
            call = CALLS_BY_NAME.get(said.call)
            if call is not None and said.conversation is not None:
                body = call.body.model_validate(said.body)
                return commanding.conversation(asker, call, said.conversation, body)
            if said.call == BULK:
                return commanding.many(asker, BulkBody.model_validate(said.body))
            if said.call == "set_capacity" and said.agent is not None:
                capacity = CapacityBody.model_validate(said.body)
                return commanding.agent(asker, "set_capacity", asks.SetCapacity, said.agent, capacity)
            if said.call == "set_leave" and said.agent is not None:
                leave = LeaveBody.model_validate(said.body)
                return commanding.agent(asker, "set_leave", asks.SetLeave, said.agent, leave)
        except ValidationError as error:
            raise invalid(error.errors(include_url=False, include_input=False)) from error
        raise _unusable(said.call)

    async def _finish(self, said: DoCall, sent: Sent) -> None:
        try:
            outcome = await self._gateway.commanding.outcome(sent)
            answer = answer_of(outcome, said.idempotency_key)
            self._count(said, type(outcome).__name__.lower() if outcome else "unknown")
        except ApiError as error:
            answer = answer_of_error(error)
            self._count(said, error.code)
        self._answer(said, answer)

    def _answer(self, said: DoCall, answer: Answer) -> None:
        self._connection.send(answer.text(said.id))

    def _count(self, said: DoCall, became: str) -> None:
        call = said.call if said.call in CALLS_BY_NAME or said.call == BULK else "other"
        self._gateway.metrics.answers.labels(call, became).inc()


def _unusable(call: str) -> ApiError:
    """Why a call cannot be begun: it lacks whom it is about, or goes over HTTP alone."""
    if call in CALLS_BY_NAME or call in OF_AGENTS:
        needed = "conversation" if call in CALLS_BY_NAME else "agent"
        return invalid([{"loc": (needed,), "msg": "this call needs it"}])
    others = ", ".join((BULK, *OF_AGENTS))
    return not_found(
        "unknown_call", f"A socket takes commands on one conversation and {others}; all else goes over HTTP."
    )
