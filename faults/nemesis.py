"""What is done to whole processes while messages flow. Each fault is noted with whether it really hit."""

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
from faults.watch import KINDS, UnseenError, ports_inside, ports_of

FREEZE_S = 1.5 * SESSION_S
BLOCKED_S = 15.0
"""What `inside/sitecustomize.py` does; no session of a worker lasts so long."""
GATEWAY_FREEZE_S = 33.0
"""A desk that has heard nothing of a gateway for 30 s has dropped it."""
UNDER_WAY_S = 0.03
"""What was just sent is then at any of its stations."""
OUTSIDE_KILLS, OUTSIDE_PAUSE_S = 5, 4.0
OUTAGE_S, COORDINATORS_S = 2.0, 30.0
STORM_WORKERS, STORM_ROUNDS = 4, 5
"""Of each kind; each is stopped and started so often."""
STORM_PAUSE_S, STARTED_S = 2.0, 30.0
BROKER_FREEZE_S = 30.0
TWICE_S, STOPPED_S = 0.1, 25.0
"""The second SIGTERM comes within the one; a worker has a deadline before the other."""
REBALANCED_S = 15.0
"""A newcomer has started, and the others of its group have heard of it."""
SLOW_S, PILED_UP_S = 0.2, 3.0
"""Kept so long each way, a desk's transaction takes seconds: commands pile up behind it."""
STANDSTILLS = {
    "freeze_at_produce": ("kafka", "produce"),
    "freeze_at_end_txn": ("kafka", "end_txn"),
}
"""On the wire to which server, and at which request of the worker's."""


@dataclass(frozen=True)
class Nemesis:
    """What befalls whole processes."""

    scene: Scene

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each by its name."""
        return {
            "kill_routing": lambda: self.kill("routing"),
            "kill_notifier": lambda: self.kill("notifier"),
            "kill_gateway": self.kill_gateway,
            "kill_in_rebalance": self.kill_in_rebalance,
            "freeze_routing": lambda: self.freeze("routing"),
            "freeze_notifier": lambda: self.freeze("notifier"),
            "freeze_gateway": self.freeze_gateway,
            "freeze_in_transaction": self.freeze_in_transaction,
            "freeze_before_writing": self.freeze_before_writing,
            **{name: partial(self.freeze_at, name) for name in STANDSTILLS},
            "storm": self.storm,
            "restart_broker": self.restart_broker,
            "restart_postgres": self.restart_postgres,
            "terminate_twice": self.terminate_twice,
            "freeze_broker": self.freeze_broker,
            "block_loop": self.block_loop,
            "kill_delivery": lambda: self.kill_outside("delivery"),
            "kill_webhooks": lambda: self.kill_outside("webhooks"),
            "kill_ingress": lambda: self.kill_outside("ingress"),
        }

    async def kill(self, kind: str) -> None:
        """SIGKILL to one worker."""
        victim = await self.scene.victim(kind)
        in_flight = await self.scene.busy(kind)
        victim.signal(signal.SIGKILL)
        await victim.ended(10)
        self.scene.note(f"kill_{kind}", hit=in_flight > 0, worker=victim.name, in_flight=in_flight)

    async def kill_in_rebalance(self) -> None:
        """SIGKILL to a worker of each kind as it lets go of its lanes, since another one has come."""
        fleet = self.scene.ground.fleet
        for kind in KINDS:
            victim = await self.scene.victim(kind)
            newcomer = fleet.start(kind, len(fleet.of(kind)) + 1)
            hit = await self._lets_go(victim)
            victim.signal(signal.SIGKILL)
            await victim.ended(10)
            self.scene.note("kill_in_rebalance", hit=hit, worker=victim.name)
            await newcomer.started(STARTED_S)
            await fleet.stop(newcomer)

    async def kill_outside(self, kind: str) -> None:
        """SIGKILL, again and again, to a worker that others are being told something by."""
        outside = self.scene.ground.surroundings.outside
        assert outside is not None
        for _ in range(OUTSIDE_KILLS):
            victim, given = await self.scene.victim(kind), outside.given[kind]
            deadline = time.monotonic() + CATCH_S
            while outside.given[kind] == given and time.monotonic() < deadline:
                await asyncio.sleep(self.scene.random.uniform(0, UNDER_WAY_S))
            given = outside.given[kind] - given
            victim.signal(signal.SIGKILL)
            await victim.ended(10)
            self.scene.note(f"kill_{kind}", hit=given > 0, worker=victim.name, given=given)
            await asyncio.sleep(self.scene.random.uniform(0, OUTSIDE_PAUSE_S))

    async def kill_gateway(self) -> None:
        """SIGKILL to a gateway that has yet to answer somebody."""
        victim = await self.scene.victim("gateway")
        unanswered = await self._asked(victim)
        victim.signal(signal.SIGKILL)
        await victim.ended(10)
        self.scene.note("kill_gateway", hit=unanswered > 0, worker=victim.name, unanswered=unanswered)

    async def freeze_gateway(self) -> None:
        """SIGSTOP to such a gateway until its desk holds it for lost, then SIGCONT."""
        victim, returns = await self.scene.victim("gateway"), self.scene.book.returns
        unanswered = await self._asked(victim)
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
        server, request = STANDSTILLS[name]
        before = await self.scene.ground.owners()
        victim = await self.scene.victim("routing")
        wire = self.scene.ground.network.to(server)[victim.name]
        caught = await wire.catches(Trap(request, Lost.TIME), CATCH_S)
        await self._frozen(victim)
        wire.heal()
        await self._note_frozen(name, victim, before, caught=caught)

    async def storm(self) -> None:
        """Eight workers, each stopped and started five times."""
        fleet = self.scene.ground.fleet
        usual = {worker.name for kind in KINDS for worker in fleet.of(kind)}
        workers = [fleet.start(kind, number) for kind in KINDS for number in self._missing(kind)]
        workers += [fleet.workers[name] for name in usual]
        taken = sum(await asyncio.gather(*map(self._restart_often, workers)))
        for worker in workers:
            if worker.name not in usual:
                await fleet.stop(worker)
        restarts = STORM_ROUNDS * len(workers)
        self.scene.note("storm", hit=taken > restarts, restarts=restarts, lanes_taken_over=taken)

    async def restart_broker(self) -> None:
        """SIGKILL to Kafka, then start it again on the same data."""
        in_flight = await self.scene.busy("routing")
        await self.scene.ground.kafka.kill()
        await asyncio.sleep(OUTAGE_S)
        await self.scene.ground.kafka.start()
        self.scene.note("restart_broker", hit=in_flight > 0, in_flight=in_flight)
        await self._coordinators()

    async def freeze_broker(self) -> None:
        """SIGSTOP to Kafka until every client has given up what it asked, then SIGCONT."""
        in_flight = await self.scene.busy("routing")
        os.kill(self.scene.ground.kafka.pid, signal.SIGSTOP)
        await asyncio.sleep(BROKER_FREEZE_S)
        os.kill(self.scene.ground.kafka.pid, signal.SIGCONT)
        self.scene.note("freeze_broker", hit=in_flight > 0, in_flight=in_flight)

    async def terminate_twice(self) -> None:
        """SIGTERM to a worker of each kind amidst its work, and again while it stops."""
        for kind in KINDS:
            victim, in_flight = await self.scene.victim(kind), await self.scene.busy(kind)
            victim.signal(signal.SIGTERM)
            await asyncio.sleep(self.scene.random.uniform(0, TWICE_S))
            twice = victim.alive
            victim.signal(signal.SIGTERM)
            ended = await victim.ended(STOPPED_S)
            hit = in_flight > 0 and twice and ended
            self.scene.note("terminate_twice", hit=hit, worker=victim.name, in_flight=in_flight, ended=ended)

    async def restart_postgres(self) -> None:
        """Postgres quits as in a crash (`immediate`) and recovers."""
        in_flight = await self.scene.busy("routing")
        await self.scene.ground.postgres.restart("immediate")
        self.scene.note("restart_postgres", hit=in_flight > 0, in_flight=in_flight)

    async def _restart_often(self, worker: Worker) -> int:
        """Stop and start a worker again and again; returns how many lanes changed their owners meanwhile."""
        taken = 0
        for _ in range(STORM_ROUNDS):
            before = await self.scene.ground.owners()
            await self.scene.ground.fleet.stop(worker)
            worker.start()
            await worker.started(STARTED_S)
            await asyncio.sleep(self.scene.random.uniform(0, STORM_PAUSE_S))
            taken += await self.scene.taken(worker.kind, before)
        return taken

    async def _coordinators(self) -> None:
        """Wait until Kafka knows its groups again; if it never does, start it once more, as people would.

        After a crash Kafka 4.3.1 sometimes fails to load a partition of `__consumer_offsets` ("The state
        machine of the coordinator is out of sync with the underlying log", then "New last written offset …
        must be greater than …"). It answers NOT_COORDINATOR until its next start; nothing is lost by that.
        """
        deadline = time.monotonic() + COORDINATORS_S
        while time.monotonic() < deadline:
            try:
                await self.scene.ground.lag()
            except UnseenError as error:
                self.scene.ground.history.add("unseen", why=str(error))
                await asyncio.sleep(1)
            else:
                return
        self.scene.ground.history.add("coordinator_failed")
        await self.scene.ground.kafka.restart()

    async def _lets_go(self, victim: Worker) -> bool:
        """Wait until a lane of the victim's has no owner any more; False when none had in time."""
        terms, deadline = victim.terms(), time.monotonic() + REBALANCED_S
        held: set[tuple[str, int]] = set()
        while victim.alive and time.monotonic() < deadline:
            owners = await self.scene.ground.owners()
            if any(owners[lane] is None for lane in held):
                return True
            held = {lane for lane, owner in owners.items() if owner in terms}
        return False

    def _missing(self, kind: str) -> list[int]:
        """Numbers of workers that the storm adds."""
        running = len(self.scene.ground.fleet.of(kind))
        return [running + more for more in range(1, STORM_WORKERS - running + 1)]

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

    async def _asked(self, gateway: Worker) -> int:
        """Wait until commands lie unanswered at a gateway, and return how many; 0 when none did in time."""
        url, deadline = self.scene.ground.gateways[gateway.name], time.monotonic() + CATCH_S
        while time.monotonic() < deadline:
            await asyncio.sleep(self.scene.random.uniform(0, UNDER_WAY_S))
            if unanswered := self.scene.book.waiting_at(url):
                return unanswered
        return 0

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
