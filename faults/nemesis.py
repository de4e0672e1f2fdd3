"""What ends whole processes while messages flow. Each fault is noted with whether it really hit."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from faults.fleet import Worker
from faults.scene import CATCH_S, UNDER_WAY_S, Scene
from faults.watch import KINDS, UnseenError

OUTSIDE_KILLS, OUTSIDE_PAUSE_S = 5, 4.0
OUTAGE_S, COORDINATORS_S = 2.0, 30.0
STORM_WORKERS, STORM_ROUNDS = 4, 5
"""Of each kind; each is stopped and started so often."""
STORM_PAUSE_S, STARTED_S = 2.0, 30.0
TWICE_S, STOPPED_S = 0.1, 25.0
"""The second SIGTERM comes within the one; a worker has a deadline before the other."""
REBALANCED_S = 15.0
"""A newcomer has started, and the others of its group have heard of it."""


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
            "storm": self.storm,
            "restart_broker": self.restart_broker,
            "restart_postgres": self.restart_postgres,
            "terminate_twice": self.terminate_twice,
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
        unanswered = await self.scene.asked(victim)
        victim.signal(signal.SIGKILL)
        await victim.ended(10)
        self.scene.note("kill_gateway", hit=unanswered > 0, worker=victim.name, unanswered=unanswered)

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
