"""What every fault needs: whom it may hit, whether there is work that it hits, and where it is noted."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass

from checker.murmur2 import partition_of
from faults.book import Book
from faults.fleet import Worker
from faults.ground import Ground
from faults.sender import Sender
from faults.town import DESK_KEY
from faults.watch import KINDS, UnseenError

CATCH_S = 10.0
"""How long to wait for a worker to be inside a transaction, or for work to be in flight."""
UNDER_WAY_S = 0.03
"""What was just sent is then at any of its stations."""
VICTIM_S = 120.0
"""On a busy machine a worker takes half a minute to start; one that ends at once again never does."""
READ_S, LOOK_S = 30.0, 0.2
"""Within this what was sent has come to the workers, unless something else keeps them from it."""


class NobodyError(Exception):
    """There is no worker to be hit."""


@dataclass(frozen=True)
class Scene:
    """The run, and the seeded choice of victims."""

    ground: Ground
    random: random.Random
    book: Book
    sender: Sender
    seed: int

    def note(self, name: str, *, hit: bool, **detail: object) -> None:
        """A fault is over: whether it really hit something, and what."""
        self.ground.history.add("fault", name=name, hit=hit, **detail)

    async def victim(self, kind: str) -> Worker:
        """A worker that lives and has begun; waits while all just start. Raises NobodyError."""
        deadline = time.monotonic() + VICTIM_S
        while time.monotonic() < deadline:
            workers = [worker for worker in self.ground.fleet.of(kind) if not worker.spared]
            for worker in self.random.sample(workers, len(workers)):
                if await worker.started(timeout_s=1):
                    return worker
            await asyncio.sleep(LOOK_S)
        raise NobodyError(f"no {kind} worker lives")

    async def decider(self) -> Worker:
        """The worker that has the lane of the town's desk; waits while nobody has. Raises NobodyError."""
        lane = "desk", partition_of(DESK_KEY.encode(), self.ground.partitions["commands"])
        deadline = time.monotonic() + VICTIM_S
        while time.monotonic() < deadline:
            owner = (await self.ground.owners())[lane]
            for worker in self.ground.fleet.of("routing"):
                if worker.alive and owner in worker.terms():
                    return worker
            await asyncio.sleep(LOOK_S)
        raise NobodyError("nobody has the desk's lane")

    async def asked(self, gateway: Worker) -> int:
        """Wait until commands lie unanswered at a gateway, and return how many; 0 when none did in time."""
        url, deadline = self.ground.gateways[gateway.name], time.monotonic() + CATCH_S
        while time.monotonic() < deadline:
            await asyncio.sleep(self.random.uniform(0, UNDER_WAY_S))
            if unanswered := self.book.waiting_at(url):
                return unanswered
        return 0

    async def busy(self, kind: str) -> int:
        """Wait until records wait for workers of a kind, and return how many; 0 when none did in time."""
        deadline = time.monotonic() + CATCH_S
        while not (waiting := await self._in_flight(kind)) and time.monotonic() < deadline:
            await asyncio.sleep(0)
        return waiting

    async def read(self) -> bool:
        """Wait until the routing workers have read what was sent; False when they have not in time."""
        deadline, ends = time.monotonic() + READ_S, None
        while time.monotonic() < deadline:
            with suppress(UnseenError):
                ends = ends or await self.ground.reached()
                if not (await self.ground.lag(ends))["intake"]:
                    return True
            await asyncio.sleep(LOOK_S)
        return False

    async def refused(self) -> int:
        """How many dead letters there are; waits for Kafka, which may just come back."""
        while True:
            with suppress(UnseenError):
                return sum(await self.ground.ends("deadletter"))
            await asyncio.sleep(LOOK_S)

    async def taken(self, kind: str, before: dict[tuple[str, int], str | None]) -> int:
        """How many lanes of a kind of worker have another owner than before."""
        now = await self.ground.owners()
        return sum(now.get(lane) != owner for lane, owner in before.items() if lane[0] in KINDS[kind])

    async def _in_flight(self, kind: str) -> int:
        """Records that wait for workers of a kind at this moment."""
        try:
            lag = await self.ground.lag()
        except UnseenError:
            return 0
        return sum(lag[group] for group in KINDS[kind])
