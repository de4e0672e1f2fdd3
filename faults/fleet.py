"""The workers of a run as real processes: started, killed, frozen, and started again when they end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

from faults.history import History
from workers.local.child import LEASH

STARTED = (b"worker_started", b"gateway_listening", b"ingress_listening")
TERM_BEGAN = b'"term_began"'
RESTART_S = 0.3
POLL_S = 0.05


class Worker:
    """One worker process, through all its lives."""

    def __init__(
        self,
        name: str,
        kind: str,
        folder: Path,
        environment: Mapping[str, str],
        more: Mapping[str, str],
    ) -> None:
        self.environment = environment
        self.more = more
        """What of that is this worker's own."""
        self.name = name
        self.kind = kind
        self.log = folder / f"{name}.log"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0
        self.wanted = False
        self.frozen = False
        self.spared = False
        """No fault picks it: its one life lasts as long as the run, but for what befalls everybody."""

    @property
    def pid(self) -> int:
        """The pid of its present life."""
        assert self._process is not None
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How its last life ended; none while it lives."""
        return None if self._process is None else self._process.poll()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin a life. It ends with the process that runs the campaign, however that ends."""
        self.wanted, self.frozen = True, False
        tongdai = str(Path(sys.executable).with_name("tongdai"))
        leash = [
            sys.executable,
            "-I",
            "-S",
            str(LEASH),
            str(os.getpid()),
            str(int(signal.SIGKILL)),
            "-1",
            "-1",
        ]
        with self.log.open("ab") as log:
            self._log_begins = log.tell()
            self._process = subprocess.Popen(
                [*leash, tongdai, "worker", self.kind],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self._folder,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; harmless when it has ended."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)
            self.frozen = number == signal.SIGSTOP or (self.frozen and number != signal.SIGCONT)

    async def started(self, timeout_s: float) -> bool:
        """Wait until this life says in its log that it has begun; False when it ends or takes longer."""
        deadline = time.monotonic() + timeout_s
        while self.alive and time.monotonic() < deadline:
            said = self._said()
            if any(word in said for word in STARTED):
                return True
            await asyncio.sleep(POLL_S)
        return False

    def terms(self) -> set[str]:
        """The terms that this life has begun, as its log says."""
        lines = (line for line in self._said().splitlines() if TERM_BEGAN in line)
        return {orjson.loads(line)["term"] for line in lines}

    def _said(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._log_begins)
            return log.read()

    async def ended(self, timeout_s: float) -> bool:
        """Wait for its end; False when it takes longer."""
        deadline = time.monotonic() + timeout_s
        while self.alive and time.monotonic() < deadline:
            await asyncio.sleep(POLL_S)
        return not self.alive


class Fleet:
    """All workers, and a task that starts again those that ended though they are wanted.

    `environment` gives that of a worker by its name.
    """

    def __init__(
        self, folder: Path, environment: Callable[[str], Mapping[str, str]], history: History
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._history = history
        self.workers: dict[str, Worker] = {}
        self.restarts = 0
        self._keeper: asyncio.Task[None] | None = None

    def start(self, kind: str, number: int, more: Mapping[str, str] | None = None) -> Worker:
        """Start a worker, or start it again; `more` is added to its environment the first time."""
        name = f"{kind}-{number}"
        environment = {**self._environment(name), **(more or {})}
        worker = self.workers.setdefault(name, Worker(name, kind, self._folder, environment, more or {}))
        worker.start()
        return worker

    def renew(self, worker: Worker) -> None:
        """Start a worker, which has ended, in the surroundings of now."""
        worker.environment = {**self._environment(worker.name), **worker.more}
        worker.start()

    def of(self, kind: str) -> list[Worker]:
        """The wanted workers of one kind."""
        return [worker for worker in self.workers.values() if worker.kind == kind and worker.wanted]

    def keep(self) -> None:
        """Begin to start again whoever ends."""
        self._keeper = asyncio.create_task(self._keep(), name="keeper")

    async def stop(self, worker: Worker, timeout_s: float = 30.0) -> bool:
        """Stop a worker in order (SIGTERM); False when it had to be killed."""
        worker.wanted = False
        worker.signal(signal.SIGTERM)
        if await worker.ended(timeout_s):
            return True
        worker.signal(signal.SIGKILL)
        await worker.ended(10)
        return False

    async def stop_all(self) -> dict[str, object]:
        """Wake and stop every worker in order; returns how each ended."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for worker in self.workers.values():
            worker.signal(signal.SIGCONT)
        in_order = await asyncio.gather(*map(self.stop, self.workers.values()))
        return {
            worker.name: worker.code if ended else "killed"
            for worker, ended in zip(self.workers.values(), in_order, strict=True)
        }

    async def _keep(self) -> None:
        while True:
            for worker in list(self.workers.values()):
                if worker.wanted and not worker.alive:
                    self._history.add("ended", worker=worker.name, code=worker.code)
                    await asyncio.sleep(RESTART_S)
                    worker.start()
                    self.restarts += 1
            await asyncio.sleep(POLL_S)
