"""What befalls the machine while messages flow: clocks jump, disks are full, memory is short."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from faults.disks import empty, fill
from faults.fleet import Worker
from faults.ground import Ground
from faults.load import large
from faults.scene import Scene
from faults.sessions import TERMINATE
from faults.watch import KINDS
from workers.local.errors import LocalServerError

JUMPS_S = (600, -600, 0)
JUMPED_FOR_S = 8.0
FULL_S, LOOK_S = 15.0, 0.5
SHORT_S = 15.0
COMPLAINTS = (b"No space left on device", b"DiskFull", b"KafkaStorage", b"PANIC")
MEMORY_COMPLAINTS = (b"MemoryError", b"Cannot allocate memory")
TOO_MANY = b"Too many open files"


@dataclass(frozen=True)
class Machine:
    """What befalls the machine on which they run."""

    scene: Scene

    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each by its name."""
        return {
            "jump_clocks": self.jump_clocks,
            "fill_postgres_disk": lambda: self.fill_disk("postgres"),
            "fill_kafka_disk": lambda: self.fill_disk("kafka"),
            "few_descriptors": self.few_descriptors,
            "little_memory": self.little_memory,
        }

    async def jump_clocks(self) -> None:
        """The clock of each worker jumps by ten minutes, there and back, each by its own."""
        workers = list(self.scene.ground.fleet.workers.values())
        in_flight = await self.scene.busy("routing")
        for _ in range(len(JUMPS_S)):
            for worker in workers:
                self.scene.ground.set_clock(worker.name, self.scene.random.choice(JUMPS_S))
            await asyncio.sleep(JUMPED_FOR_S)
        for worker in workers:
            self.scene.ground.set_clock(worker.name, 0)
        jumped = [worker.name for worker in workers if _has_loaded(worker, "libfaketime")]
        hit = in_flight > 0 and len(jumped) == len(workers)
        self.scene.note("jump_clocks", hit=hit, in_flight=in_flight, jumped=jumped)

    async def fill_disk(self, server: str) -> None:
        """A server's disk is full for a while. If it gave up it is started again, as people would."""
        ground, name = self.scene.ground, f"fill_{server}_disk"
        disk = ground.folder / "servers" / server
        in_flight, before = await self.scene.busy("routing"), _complaints(ground, COMPLAINTS)
        deadline, filled = time.monotonic() + FULL_S, 0
        while time.monotonic() < deadline:
            filled += await asyncio.to_thread(fill, disk)
            await asyncio.sleep(LOOK_S)
        complaints = _complaints(ground, COMPLAINTS) - before
        empty(disk)
        ended = await self._start_again(server)
        self.scene.note(
            name,
            hit=in_flight > 0 and (ended or complaints > 0),
            filled=filled,
            complaints=complaints,
            ended=ended,
        )

    async def _start_again(self, server: str) -> bool:
        """Whether it had ended."""
        one = self.scene.ground.kafka if server == "kafka" else self.scene.ground.postgres
        try:
            async with asyncio.timeout(1):
                await one.failure()
        except LocalServerError:
            await one.start()
            return True
        except TimeoutError:
            return False
        raise AssertionError(server)

    async def few_descriptors(self) -> None:
        """A worker of each kind can open nothing more, and has lost its sessions."""
        victims = [await self.scene.victim(kind) for kind in (*KINDS, "gateway")]
        before = _complaints(self.scene.ground, (TOO_MANY,))
        usual = {
            worker.pid: _limit(worker, resource.RLIMIT_NOFILE, _descriptors(worker) // 2)
            for worker in victims
        }
        sessions = await self._terminate_sessions()
        await asyncio.sleep(SHORT_S)
        _restore(usual, resource.RLIMIT_NOFILE)
        complaints = _complaints(self.scene.ground, (TOO_MANY,)) - before
        names = [worker.name for worker in victims]
        self.scene.note(
            "few_descriptors", hit=complaints > 0, workers=names, sessions=sessions, complaints=complaints
        )

    async def little_memory(self) -> None:
        """A routing worker and a notifier get no more memory, while messages come that need some."""
        victims = [await self.scene.victim(kind) for kind in KINDS]
        before, restarts = _complaints(self.scene.ground, MEMORY_COMPLAINTS), self.scene.ground.fleet.restarts
        usual = {
            worker.pid: _limit(worker, resource.RLIMIT_AS, _address_space(worker) // 2) for worker in victims
        }
        await self.scene.sender.send(large(self.scene.random.getrandbits(32)))
        await asyncio.sleep(SHORT_S)
        _restore(usual, resource.RLIMIT_AS)
        complaints = _complaints(self.scene.ground, MEMORY_COMPLAINTS) - before
        ended = self.scene.ground.fleet.restarts - restarts
        names = [worker.name for worker in victims]
        self.scene.note(
            "little_memory", hit=complaints + ended > 0, workers=names, complaints=complaints, ended=ended
        )

    async def _terminate_sessions(self) -> int:
        connection = await asyncpg.connect(self.scene.ground.dsn)
        try:
            return int(await connection.fetchval(TERMINATE))
        finally:
            await connection.close()


def _complaints(ground: Ground, words: tuple[bytes, ...]) -> int:
    """How often workers and servers have said such a thing."""
    logs = [*ground.folder.glob("*.log"), *ground.folder.glob("servers/*/*.log")]
    return sum(log.read_bytes().count(word) for log in logs for word in words)


def _has_loaded(worker: Worker, library: str) -> bool:
    return worker.alive and library in Path(f"/proc/{worker.pid}/maps").read_text()


def _descriptors(worker: Worker) -> int:
    return len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))


def _address_space(worker: Worker) -> int:
    """Bytes."""
    pages = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _limit(worker: Worker, which: int, value: int) -> tuple[int, int]:
    """Bound what the worker may have; returns its former bounds."""
    _, hard = resource.prlimit(worker.pid, which)
    return resource.prlimit(worker.pid, which, (value, hard))


def _restore(usual: dict[int, tuple[int, int]], which: int) -> None:
    for pid, bounds in usual.items():
        with contextlib.suppress(ProcessLookupError):  # it has ended, and another life has the usual bounds
            resource.prlimit(pid, which, bounds)
