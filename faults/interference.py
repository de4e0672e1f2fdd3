"""What is done to the wires between workers and servers while messages flow."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from faults.proxy import Lost, Trap, Way, Wire
from faults.scene import CATCH_S, Scene
from faults.surroundings import SESSION_S
from faults.watch import KINDS

DELAY_S, JITTER_S, SLOW_FOR_S = 0.1, 0.2, 20.0
BYTES_PER_S = 40_000.0
"""A batch of a hundred messages takes seconds."""
SILENT_S = (2 * SESSION_S, 6 * SESSION_S)
"""Beyond a session and what a worker waits for Kafka; beyond what it waits for Postgres, too."""
CUT_OFF_S = 2.0
RESETS, RESET_PAUSE_S = 3, 3.0
QUIET_S = (0.0, 1.0, 2 * SESSION_S)
"""After a reply was lost: reset at once, soon, or when the worker has given up."""
WAYS = ((Way.UP, Way.DOWN), (Way.UP,), (Way.DOWN,))
MOMENTS = {
    "lost_commit_reply": ("postgres", "commit", Lost.REPLY),
    "lost_produce_reply": ("kafka", "produce", Lost.REPLY),
    "lost_offsets_reply": ("kafka", "offsets", Lost.REPLY),
    "lost_end_txn_reply": ("kafka", "end_txn", Lost.REPLY),
    "cut_at_commit": ("postgres", "commit", Lost.REQUEST),
    "cut_at_produce": ("kafka", "produce", Lost.REQUEST),
    "cut_at_end_txn": ("kafka", "end_txn", Lost.REQUEST),
}
"""On the wire to which server, at which request, and what gets lost."""
DEATHS = {
    "kill_at_commit": ("postgres", "commit"),
    "kill_at_produce": ("kafka", "produce"),
    "kill_at_end_txn": ("kafka", "end_txn"),
}
"""On the wire to which server, and of which request nothing arrives any more, nor of its sender."""
ENDED_S = 10.0


@dataclass(frozen=True)
class Interference:
    """What befalls connections."""

    scene: Scene

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each by its name."""
        return {
            "delay_kafka": lambda: self.delay("kafka"),
            "delay_postgres": lambda: self.delay("postgres"),
            "delay_both": lambda: self.delay("both"),
            "throttle_kafka": lambda: self.throttle("kafka"),
            "throttle_postgres": lambda: self.throttle("postgres"),
            "silent_kafka": lambda: self.silence("kafka"),
            "silent_postgres": lambda: self.silence("postgres"),
            "half_open_kafka": lambda: self.half_open("kafka"),
            "half_open_postgres": lambda: self.half_open("postgres"),
            "reset_all": self.reset_all,
            **{name: partial(self.lose, name) for name in MOMENTS},
            **{name: partial(self.kill_at, name) for name in DEATHS},
        }

    async def delay(self, server: str) -> None:
        """Every way of every worker to a server, or to both, takes long, and now longer, now shorter."""
        network = self.scene.ground.network
        wires = list(network.wires if server == "both" else network.to(server).values())
        await self._slow(f"delay_{server}", wires, lambda wire: wire.delay(DELAY_S, JITTER_S))

    async def throttle(self, server: str) -> None:
        """A connection of a worker with a server carries so many bytes a second each way, and no more."""
        wires = list(self.scene.ground.network.to(server).values())
        await self._slow(f"throttle_{server}", wires, lambda wire: wire.throttle(BYTES_PER_S))

    async def _slow(self, name: str, wires: Sequence[Wire], slow: Callable[[Wire], None]) -> None:
        in_flight, before = await self.scene.busy("routing"), sum(wire.delayed for wire in wires)
        for wire in wires:
            slow(wire)
        await asyncio.sleep(SLOW_FOR_S)
        self.scene.ground.network.heal()
        delayed = sum(wire.delayed for wire in wires) - before
        self.scene.note(name, hit=delayed > 0 and in_flight > 0, delayed=delayed, in_flight=in_flight)

    async def silence(self, server: str) -> None:
        """One worker hears nothing of a server, or it nothing of him, or neither of the other.

        Without Kafka he loses his lanes and may still write; what he sent arrives when all is over.
        """
        kind = self.scene.random.choice(tuple(KINDS))
        victim, ways = await self.scene.victim(kind), self.scene.random.choice(WAYS)
        seconds = SILENT_S[0] if server == "kafka" else self.scene.random.choice(SILENT_S)
        wire, before = self.scene.ground.network.to(server)[victim.name], await self.scene.ground.owners()
        in_flight, held = await self.scene.busy(kind), wire.held
        wire.silence(*ways)
        await asyncio.sleep(seconds)
        taken, held = await self.scene.taken(kind, before), wire.held - held
        wire.heal()
        self.scene.note(
            f"silent_{server}",
            hit=held > 0 and in_flight > 0 and (server == "postgres" or taken > 0),
            worker=victim.name,
            ways=[way.name.lower() for way in ways],
            seconds=seconds,
            held=held,
            lanes_taken_over=taken,
        )

    async def half_open(self, server: str) -> None:
        """Every connection to a server is forgotten on its way; only who sends something learns of it."""
        wires = self.scene.ground.network.to(server)
        in_flight, before = await self.scene.busy("routing"), sum(wire.forgotten for wire in wires.values())
        connections = sum(wire.forget() for wire in wires.values())
        for wire in wires.values():
            wire.silence(*Way)
        await asyncio.sleep(CUT_OFF_S)
        self.scene.ground.network.heal()
        await asyncio.sleep(CUT_OFF_S)
        lost = sum(wire.forgotten for wire in wires.values()) - before
        self.scene.note(
            f"half_open_{server}",
            hit=lost > 0 and in_flight > 0,
            connections=connections,
            lost=lost,
            in_flight=in_flight,
        )

    async def reset_all(self) -> None:
        """Every connection of every worker is reset at once, and again when they have come back."""
        for _ in range(RESETS):
            in_flight = await self.scene.busy("routing")
            connections = sum(wire.reset() for wire in self.scene.ground.network.wires)
            self.scene.note(
                "reset_all",
                hit=connections > 0 and in_flight > 0,
                connections=connections,
                in_flight=in_flight,
            )
            await asyncio.sleep(RESET_PAUSE_S)

    async def lose(self, name: str) -> None:
        """At a named moment a worker of each kind loses a request, or only its reply, and the connection."""
        for quiet_s in QUIET_S:
            await asyncio.gather(*(self._spring(name, kind, quiet_s) for kind in KINDS))

    async def _spring(self, name: str, kind: str, quiet_s: float) -> None:
        server, request, lost = MOMENTS[name]
        victim = await self.scene.victim(kind)
        hit = await self.scene.ground.network.to(server)[victim.name].catches(
            Trap(request, lost, quiet_s), CATCH_S
        )
        if hit:
            await asyncio.sleep(quiet_s)
        self.scene.note(name, hit=hit, worker=victim.name, quiet_s=quiet_s)

    async def kill_at(self, name: str) -> None:
        """SIGKILL to a worker of each kind as it sends a request, which never arrives."""
        server, request = DEATHS[name]
        for kind in KINDS:
            victim = await self.scene.victim(kind)
            await self.scene.busy(kind)
            trap = Trap(request, Lost.REQUEST, ENDED_S)
            hit = await self.scene.ground.network.to(server)[victim.name].catches(trap, CATCH_S)
            victim.signal(signal.SIGKILL)
            await victim.ended(ENDED_S)
            self.scene.note(name, hit=hit, worker=victim.name)
