"""One worker of a crew: a child process that is started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from dataclasses import dataclass

from config.errors import ConfigurationError, ExitCode
from workers.local.child import LEASH
from workers.local.crew.group import ProcessGroup
from workers.local.crew.output import Show, show_lines

BACKOFF_FIRST_S = 0.5
BACKOFF_LAST_S = 10.0
STEADY_S = 30.0
"""Who has run so long begins with the first back-off again."""

_HOPELESS = {ExitCode.USAGE, ExitCode.CONFIGURATION}
"""It would end in the same way each time."""


@dataclass(frozen=True)
class Duty:
    """What a worker is.

    Attributes:
        name: what people call it.
        arguments: those of `tongdai`.
        environment: all of its environment.
        health: host and port where it tells its health.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    health: tuple[str, int]


class Member:
    """A worker process, through its deaths.

    Args:
        duty: what it is to run.
        group: the process group of the crew.
        show: takes each line of its output.
        remark: takes what is to be said about it.
    """

    def __init__(self, duty: Duty, group: ProcessGroup, show: Show, remark: Show) -> None:
        self.duty = duty
        self.restarts = 0
        self._group = group
        self._show = show
        self._remark = remark
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None else None

    async def run(self, stopping: asyncio.Event) -> int:
        """Keep it running until `stopping` is set and it has ended.

        Returns its exit code, negative for a signal; 0 when it was not running at that moment.
        Raises ConfigurationError when starting it again makes no sense.
        """
        backoff_s = BACKOFF_FIRST_S
        while True:
            started = time.monotonic()
            code = await self._once(stopping)
            if stopping.is_set():
                return code
            if code in _HOPELESS:
                raise ConfigurationError(f"The worker {self.duty.name} {ending(code)}: see what it said.")
            backoff_s = BACKOFF_FIRST_S if time.monotonic() - started > STEADY_S else backoff_s
            self._remark(f"{self.duty.name} {ending(code)}; it starts again in {backoff_s:g} s")
            if await _set_within(stopping, backoff_s):
                return 0
            backoff_s = min(2 * backoff_s, BACKOFF_LAST_S)
            self.restarts += 1

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; harmless when it has ended."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _once(self, stopping: asyncio.Event) -> int:
        """Run it once."""
        process = self._process = await self._spawn()
        if stopping.is_set():
            self.send(signal.SIGTERM)
        try:
            if process.stdout is not None:
                await show_lines(process.stdout, self.duty.name, self._show)
            return await process.wait()
        finally:
            self._process = None

    async def _spawn(self) -> Process:
        # On a leash: it stops, in order, when this process dies however.
        leash = (os.getpid(), int(signal.SIGTERM), -1, -1)
        command = (sys.executable, "-m", "workers.cli.main", *self.duty.arguments)
        async with self._group.joining() as (group, joined):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH), *map(str, leash), *command),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                env=dict(self.duty.environment),
                process_group=group,
            )
            joined(process.pid)
            return process


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def ending(code: int) -> str:
    """Say in words how a process ended: its exit code with what that means, or the signal that ended it."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    meaning = f" ({ExitCode(code).name.lower()})" if code in set(ExitCode) else ""
    return f"ended with exit code {code}{meaning}"
