"""What changes under the workers while messages flow: who coordinates them, and which version they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.settings import Settings
from config.topics_apply import apply_topics
from faults.ground import PREFIX
from faults.scene import Scene
from workers.migrations import migrate

GROUP, TRANSACTION = 0, 1
"""Types of coordinator, as Kafka numbers them."""
AWAY_S, MOVED_S = 10.0, 30.0
STARTED_S = 30.0
BESIDE_S = 4.0
"""For so long at least both versions are at work after each worker."""


@dataclass(frozen=True)
class Changes:
    """What becomes another."""

    scene: Scene

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each by its name."""
        return {"move_coordinator": self.move_coordinator, "roll_out": self.roll_out}

    async def move_coordinator(self) -> None:
        """The brokers that coordinate a group, a term's transactions, another group, are killed in turn."""
        routing = await self.scene.victim("routing")
        terms = sorted(term for term in routing.terms() if ".intake." in term)
        await self._move(f"{PREFIX}.intake", GROUP)
        await self._move(f"{terms[-1]}-0", TRANSACTION)
        await self._move(f"{PREFIX}.notifier", GROUP)

    async def _move(self, name: str, kind: int) -> None:
        ground, in_flight = self.scene.ground, await self.scene.busy("routing")
        before = await self._coordinator(name, kind, other_than=0)
        broker = ground.brokers[before - 1]
        await broker.kill()
        now = await self._coordinator(name, kind, other_than=before)
        await asyncio.sleep(AWAY_S)
        await broker.start()
        hit = in_flight > 0 and now not in {0, before}
        self.scene.note("move_coordinator", hit=hit, of=name, before=before, now=now, in_flight=in_flight)

    async def _coordinator(self, name: str, kind: int, other_than: int) -> int:
        """The id of its coordinator, once it is another; 0 when none was named in time."""
        deadline = time.monotonic() + MOVED_S
        while time.monotonic() < deadline:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.scene.ground.servers)
            try:
                async with asyncio.timeout(5):
                    await admin.start()
                    found = int(await admin.find_coordinator(name, kind))
            except (KafkaError, OSError, TimeoutError):
                found = 0
            finally:
                await admin.close()
            if found and found != other_than:
                return found
            await asyncio.sleep(0.5)
        return 0

    async def roll_out(self) -> None:
        """An older version is at work; this one migrates, and takes its place worker by worker."""
        ground, in_flight = self.scene.ground, await self.scene.busy("routing")
        was_older = ground.surroundings.version is not None  # the first time only
        settings = Settings.model_validate({"kafka": {"topic_prefix": PREFIX}}).with_servers(
            bootstrap_servers=ground.servers, dsn=ground.dsn
        )
        await apply_topics(settings)
        await asyncio.to_thread(migrate, ground.dsn)
        ground.surroundings.version = None
        replaced = []
        for worker in list(ground.fleet.workers.values()):
            await ground.fleet.stop(worker)
            ground.fleet.renew(worker)
            if await worker.started(STARTED_S):
                replaced.append(worker.name)
            await asyncio.sleep(BESIDE_S)
        hit = was_older and in_flight > 0
        self.scene.note("roll_out", hit=hit, in_flight=in_flight, started_at_once=replaced)
