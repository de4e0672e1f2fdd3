"""What is done to the system while messages flow. Each fault is noted with whether it really hit."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from tests.faults.book import Book
from tests.faults.fleet import Worker
from tests.faults.ground import SESSION_S, Ground
from tests.faults.watch import KINDS, UnseenError, ports_inside, ports_of

FREEZE_S = 1.5 * SESSION_S
GATEWAY_FREEZE_S = 33.0
"""A desk that has heard nothing of a gateway for 30 s has dropped it."""
UNDER_WAY_S = 0.03
"""What was just sent is then at any of its stations."""
OUTAGE_S, COORDINATORS_S = 2.0, 30.0
CATCH_S = 10.0
"""How long to wait for a worker to be inside a transaction, or for work to be in flight."""
STORM_WORKERS, STORM_ROUNDS = 4, 5
"""Of each kind; each is stopped and started so often."""
STORM_PAUSE_S, STARTED_S = 2.0, 30.0


@dataclass(frozen=True)
class Nemesis:
    """The faults, and the seeded choice of their victims."""

    ground: Ground
    random: random.Random
    book: Book

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Every fault by its name."""
        return {
            "kill_routing": lambda: self.kill("routing"),
            "kill_notifier": lambda: self.kill("notifier"),
            "kill_gateway": self.kill_gateway,
            "freeze_routing": lambda: self.freeze("routing"),
            "freeze_notifier": lambda: self.freeze("notifier"),
            "freeze_gateway": self.freeze_gateway,
            "freeze_in_transaction": lambda: self.freeze_inside("freeze_in_transaction", writing=True),
            "freeze_before_writing": lambda: self.freeze_inside("freeze_before_writing", writing=False),
            "storm": self.storm,
            "restart_broker": self.restart_broker,
            "restart_postgres": self.restart_postgres,
        }

    async def kill(self, kind: str) -> None:
        """SIGKILL to one worker."""
        victim = await self._victim(kind)
        in_flight = await self._busy(kind)
        victim.signal(signal.SIGKILL)
        await victim.ended(10)
        self._note(f"kill_{kind}", hit=in_flight > 0, worker=victim.name, in_flight=in_flight)

    async def kill_gateway(self) -> None:
        """SIGKILL to a gateway that has yet to answer somebody."""
        victim = await self._victim("gateway")
        unanswered = await self._asked(victim)
        victim.signal(signal.SIGKILL)
        await victim.ended(10)
        self._note("kill_gateway", hit=unanswered > 0, worker=victim.name, unanswered=unanswered)

    async def freeze_gateway(self) -> None:
        """SIGSTOP to such a gateway until its desk holds it for lost, then SIGCONT."""
        victim, returns = await self._victim("gateway"), self.book.returns
        unanswered = await self._asked(victim)
        await self._frozen(victim, GATEWAY_FREEZE_S)
        came_back = self.book.returns - returns
        hit = unanswered > 0 and came_back > 0
        self._note("freeze_gateway", hit=hit, worker=victim.name, unanswered=unanswered, came_back=came_back)

    async def freeze(self, kind: str) -> None:
        """SIGSTOP to one worker until long after its session has timed out, then SIGCONT."""
        before = await self.ground.owners()
        victim = await self._victim(kind)
        await self._frozen(victim)
        taken = await self._taken(kind, before)
        self._note(f"freeze_{kind}", hit=taken > 0, worker=victim.name, lanes_taken_over=taken)

    async def freeze_inside(self, name: str, *, writing: bool) -> None:
        """SIGSTOP to a routing worker inside an open transaction, having written (row locks) or not yet."""
        before = await self.ground.owners()
        victim = await self._victim("routing")
        caught = await self._catch_inside(victim, writing=writing)
        await self._frozen(victim)
        taken = await self._taken("routing", before)
        self._note(name, hit=caught and taken > 0, worker=victim.name, caught=caught, lanes_taken_over=taken)

    async def storm(self) -> None:
        """Eight workers, each stopped and started five times."""
        fleet = self.ground.fleet
        usual = {worker.name for kind in KINDS for worker in fleet.of(kind)}
        workers = [fleet.start(kind, number) for kind in KINDS for number in self._missing(kind)]
        workers += [fleet.workers[name] for name in usual]
        taken = sum(await asyncio.gather(*map(self._restart_often, workers)))
        for worker in workers:
            if worker.name not in usual:
                await fleet.stop(worker)
        restarts = STORM_ROUNDS * len(workers)
        self._note("storm", hit=taken > restarts, restarts=restarts, lanes_taken_over=taken)

    async def restart_broker(self) -> None:
        """SIGKILL to Kafka, then start it again on the same data."""
        in_flight = await self._busy("routing")
        await self.ground.kafka.kill()
        await asyncio.sleep(OUTAGE_S)
        await self.ground.kafka.start()
        self._note("restart_broker", hit=in_flight > 0, in_flight=in_flight)
        await self._coordinators()

    async def restart_postgres(self) -> None:
        """Postgres quits as in a crash (`immediate`) and recovers."""
        in_flight = await self._busy("routing")
        await self.ground.postgres.restart("immediate")
        self._note("restart_postgres", hit=in_flight > 0, in_flight=in_flight)

    async def _restart_often(self, worker: Worker) -> int:
        """Stop and start a worker again and again; returns how many lanes changed their owners meanwhile."""
        taken = 0
        for _ in range(STORM_ROUNDS):
            before = await self.ground.owners()
            await self.ground.fleet.stop(worker)
            worker.start()
            await worker.started(STARTED_S)
            await asyncio.sleep(self.random.uniform(0, STORM_PAUSE_S))
            taken += await self._taken(worker.kind, before)
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
                await self.ground.lag()
            except UnseenError as error:
                self.ground.history.add("unseen", why=str(error))
                await asyncio.sleep(1)
            else:
                return
        self.ground.history.add("coordinator_failed")
        await self.ground.kafka.restart()

    async def _victim(self, kind: str) -> Worker:
        """A worker that lives and has begun; waits for one when all are just starting."""
        while True:
            workers = self.ground.fleet.of(kind)
            for worker in self.random.sample(workers, len(workers)):
                if await worker.started(timeout_s=1):
                    return worker

    def _missing(self, kind: str) -> list[int]:
        """Numbers of workers that the storm adds."""
        running = len(self.ground.fleet.of(kind))
        return [running + more for more in range(1, STORM_WORKERS - running + 1)]

    async def _frozen(self, victim: Worker, seconds: float = FREEZE_S) -> None:
        victim.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        victim.signal(signal.SIGCONT)

    async def _asked(self, gateway: Worker) -> int:
        """Wait until commands lie unanswered at a gateway, and return how many; 0 when none did in time."""
        url, deadline = self.ground.gateways[gateway.name], time.monotonic() + CATCH_S
        while time.monotonic() < deadline:
            await asyncio.sleep(self.random.uniform(0, UNDER_WAY_S))
            if unanswered := self.book.waiting_at(url):
                return unanswered
        return 0

    async def _catch_inside(self, victim: Worker, *, writing: bool) -> bool:
        """Freeze the victim inside a transaction; False when it was not caught in time."""
        connection = await asyncpg.connect(self.ground.dsn)
        deadline = time.monotonic() + CATCH_S
        try:
            while time.monotonic() < deadline:
                await asyncio.sleep(0)
                ports = ports_of(victim.pid)
                if not ports & await ports_inside(connection, writing=writing):
                    continue
                victim.signal(signal.SIGSTOP)
                await asyncio.sleep(0.3)  # what it had sent before is carried out by now
                if ports & await ports_inside(connection, writing=writing):
                    return True
                victim.signal(signal.SIGCONT)
        finally:
            await connection.close()
        return False

    async def _busy(self, kind: str) -> int:
        """Wait until records wait for workers of a kind, and return how many; 0 when none did in time."""
        deadline = time.monotonic() + CATCH_S
        while not (waiting := await self._in_flight(kind)) and time.monotonic() < deadline:
            await asyncio.sleep(0)
        return waiting

    async def _in_flight(self, kind: str) -> int:
        """Records that wait for workers of a kind at this moment."""
        try:
            lag = await self.ground.lag()
        except UnseenError:
            return 0
        return sum(lag[group] for group in KINDS[kind])

    async def _taken(self, kind: str, before: dict[tuple[str, int], str | None]) -> int:
        """How many lanes of a kind of worker have another owner than before."""
        now = await self.ground.owners()
        return sum(now.get(lane) != owner for lane, owner in before.items() if lane[0] in KINDS[kind])

    def _note(self, name: str, *, hit: bool, **detail: object) -> None:
        self.ground.history.add("fault", name=name, hit=hit, **detail)
