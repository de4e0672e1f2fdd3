"""What makes processes stand still while messages flow, and go on when others have what was theirs."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import asyncpg

from faults.fleet import Worker
from faults.proxy import Lost, Trap
from faults.scene import CATCH_S, Scene
from faults.surroundings import SESSION_S
from faults.watch import KINDS, ports_inside, ports_of

FREEZE_S = 1.5 * SESSION_S
BLOCKED_S = 15.0
"""What `inside/sitecustomize.py` does; no session of a worker lasts so long."""
GATEWAY_FREEZE_S = 33.0
"""A desk that has heard nothing of a gateway for 30 s has dropped it."""
BROKER_FREEZE_S = 30.0
SLOW_S, PILED_UP_S = 0.2, 3.0
"""Kept so long each way, a desk's transaction takes seconds: commands pile up behind it."""
MOMENTS = {
    "freeze_at_produce": ("kafka", "produce"),
    "freeze_at_end_txn": ("kafka", "end_txn"),
}
"""On the wire to which server, and at which request of the worker's."""


@dataclass(frozen=True)
class Standstills:
    """What freezes, and wakes up later."""

    scene: Scene

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each by its name."""
        return {
            "freeze_routing": lambda: self.freeze("routing"),
            "freeze_notifier": lambda: self.freeze("notifier"),
            "freeze_gateway": self.freeze_gateway,
            "freeze_in_transaction": self.freeze_in_transaction,
            "freeze_before_writing": self.freeze_before_writing,
            **{name: partial(self.freeze_at, name) for name in MOMENTS},
            "freeze_broker": self.freeze_broker,
            "block_loop": self.block_loop,
        }

    async def freeze_gateway(self) -> None:
        """SIGSTOP to such a gateway until its desk holds it for lost, then SIGCONT."""
        victim, returns = await self.scene.victim("gateway"), self.scene.book.returns
        unanswered = await self.scene.asked(victim)
        await self._frozen(victim, GATEWAY_FREEZE_S)
        came_back = self.scene.book.returns - returns
        hit = unanswered > 0 and came_back > 0
        self.scene.note(
            "freeze_gateway", hit=hit, worker=victim.name, unanswered=unanswered, came_back=came_back
        )

    async def freeze(self, kind: str) -> None:
        """SIGSTOP to one worker until long after its session has timed out, then SIGCONT."""
        before = await self.scene.ground.owners()
        victim = await self.scene.victim(kind)
        await self._frozen(victim)
        taken = await self.scene.taken(kind, before)
        self.scene.note(f"freeze_{kind}", hit=taken > 0, worker=victim.name, lanes_taken_over=taken)

    async def block_loop(self) -> None:
        """The event loop of a worker of each kind is blocked until long after its session has timed out."""
        for kind in KINDS:
            before = await self.scene.ground.owners()
            victim = await self.scene.victim(kind)
            victim.signal(signal.SIGUSR1)
            await asyncio.sleep(BLOCKED_S)
            taken = await self.scene.taken(kind, before)
            self.scene.note(
                "block_loop",
                hit=taken > 0 and victim.alive,
                worker=victim.name,
                alive=victim.alive,
                lanes_taken_over=taken,
            )

    async def freeze_in_transaction(self) -> None:
        """SIGSTOP to a routing worker inside an open transaction that has written: it keeps its row locks."""
        before = await self.scene.ground.owners()
        victim = await self.scene.victim("routing")
        caught = await self._catch_inside(victim)
        await self._frozen(victim)
        await self._note_frozen("freeze_in_transaction", victim, before, caught=caught)

    async def freeze_before_writing(self) -> None:
        """SIGSTOP to the desk's worker as it begins to store much: Postgres hears of it when it wakes up.

        What others have made of the same conversations by then it would undo, if it were let.
        """
        before = await self.scene.ground.owners()
        victim = await self.scene.decider()
        wire = self.scene.ground.network.to("postgres")[victim.name]
        wire.delay(SLOW_S, 0.0)
        await asyncio.sleep(PILED_UP_S)
        caught = await wire.catches(Trap("begin desk", Lost.TIME), CATCH_S)
        await self._frozen(victim)
        wire.heal()
        await self._note_frozen("freeze_before_writing", victim, before, caught=caught)

    async def freeze_at(self, name: str) -> None:
        """SIGSTOP to a routing worker as it sends a request: the server hears of it when he wakes up."""
        server, request = MOMENTS[name]
        before = await self.scene.ground.owners()
        victim = await self.scene.victim("routing")
        wire = self.scene.ground.network.to(server)[victim.name]
        caught = await wire.catches(Trap(request, Lost.TIME), CATCH_S)
        await self._frozen(victim)
        wire.heal()
        await self._note_frozen(name, victim, before, caught=caught)

    async def freeze_broker(self) -> None:
        """SIGSTOP to Kafka until every client has given up what it asked, then SIGCONT."""
        in_flight = await self.scene.busy("routing")
        os.kill(self.scene.ground.kafka.pid, signal.SIGSTOP)
        await asyncio.sleep(BROKER_FREEZE_S)
        os.kill(self.scene.ground.kafka.pid, signal.SIGCONT)
        self.scene.note("freeze_broker", hit=in_flight > 0, in_flight=in_flight)

    async def _note_frozen(
        self, name: str, victim: Worker, before: dict[tuple[str, int], str | None], *, caught: bool
    ) -> None:
        taken = await self.scene.taken("routing", before)
        hit = caught and taken > 0
        self.scene.note(name, hit=hit, worker=victim.name, caught=caught, lanes_taken_over=taken)

    async def _frozen(self, victim: Worker, seconds: float = FREEZE_S) -> None:
        victim.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        victim.signal(signal.SIGCONT)

    async def _catch_inside(self, victim: Worker) -> bool:
        """Freeze the victim inside a transaction that has written; False when it was not caught in time."""
        connection = await asyncpg.connect(self.scene.ground.dsn)
        deadline = time.monotonic() + CATCH_S
        try:
            while time.monotonic() < deadline:
                await asyncio.sleep(0)
                ports = self.scene.ground.network.seen_by_postgres(ports_of(victim.pid))
                if not ports & await ports_inside(connection):
                    continue
                victim.signal(signal.SIGSTOP)
                await asyncio.sleep(0.3)  # what it had sent before is carried out by now
                if ports & await ports_inside(connection):
                    return True
                victim.signal(signal.SIGCONT)
        finally:
            await connection.close()
        return False
