"""A server as a child process: started on a leash, waited for, stopped, killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workers.local.errors import LocalServerError, log_tail

LEASH = Path(__file__).with_name("leash.py")
POLL_S = 0.02
WATCH_S = 0.25
LOG_MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class RunAs:
    """The user a server runs as: numeric ids."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Launch:
    """How a server is started.

    Attributes:
        name: what people call it.
        command: its absolute path and arguments.
        log: its standard output and error are appended here; when it has become long it is put aside first.
        death_signal: what it gets when the thread that started it ends, however that ends.
        run_as: another user, or None for the same.
        inherit: file descriptors it keeps open (the lock of its data folder).
    """

    name: str
    command: Sequence[str]
    log: Path
    death_signal: signal.Signals
    run_as: RunAs | None = None
    inherit: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """A running server.

    It is a plain `Popen`, not an asyncio process: it outlives the event loop that started it
    (tests start it in one loop and use it in others). The signal at the parent's death follows the
    *thread* that started it, so start it from one that lives as long as it shall.
    """

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._process = _spawn(launch)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs still."""
        return self._process.poll() is None

    async def ready(self, answers: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
        """Waits until the server answers.

        Args:
            answers: asks the server once.
            timeout_s: how long it may take.

        Raises:
            LocalServerError: it ended by itself or did not answer in time; with the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not await answers():
            if not self.alive:
                raise self._error(f"ended with code {self._process.returncode} while starting")
            if time.monotonic() > deadline:
                raise self._error(f"did not answer within {timeout_s:.0f} s")
            await asyncio.sleep(POLL_S)

    async def finished(self, timeout_s: float) -> None:
        """Waits for a program that is to end by itself.

        Raises:
            LocalServerError: it failed, or did not end in time and was killed; with the end of its log.
        """
        ended = await self._ended_within(timeout_s)
        if not ended:
            await self.end(signal.SIGKILL, 10.0)
            raise self._error(f"took longer than {timeout_s:.0f} s")
        if self._process.returncode != 0:
            raise self._error(f"failed with code {self._process.returncode}")

    async def failure(self) -> None:
        """Waits until it ends, which it should not do by itself.

        Raises:
            LocalServerError: always, with the end of its log.
        """
        while self.alive:  # noqa: ASYNC110 - another process, only to be asked
            await asyncio.sleep(WATCH_S)
        raise self._error(f"ended by itself with code {self._process.returncode}")

    async def end(self, first: signal.Signals, timeout_s: float) -> bool:
        """Sends the signal, then SIGKILL when it has not ended in time, and waits until it is gone.

        Returns:
            Whether it ended by the first signal.
        """
        self._signal(first)
        if await self._ended_within(timeout_s):
            return True
        self._signal(signal.SIGKILL)
        if not await self._ended_within(10.0):
            raise LocalServerError(f"{self.launch.name} (pid {self.pid}) did not end on SIGKILL within 10 s.")
        return False

    def _error(self, what: str) -> LocalServerError:
        log = self.launch.log
        return LocalServerError(f"{self.launch.name} {what}. The end of {log}:\n{log_tail(log)}")

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            self._process.send_signal(number)

    async def _ended_within(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.alive:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True


def _spawn(launch: Launch) -> subprocess.Popen[bytes]:
    if sys.platform != "linux":
        raise LocalServerError("The local servers need Linux; set the servers' addresses instead.")
    user = launch.run_as or RunAs(-1, -1)
    tied = (os.getpid(), int(launch.death_signal), user.uid, user.gid)
    if launch.log.exists() and launch.log.stat().st_size > LOG_MAX_BYTES:
        launch.log.replace(launch.log.with_suffix(".old.log"))
    with launch.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, "-I", "-S", str(LEASH), *map(str, tied), *launch.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | launch.environment,
            pass_fds=launch.inherit,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the parent, which stops its servers in order
        )
