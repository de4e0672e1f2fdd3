"""A crew: workers side by side on this machine, in one process group."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Collection, Sequence

from config.errors import TongdaiError
from workers.local.crew.group import ProcessGroup
from workers.local.crew.member import Duty, Member
from workers.local.crew.output import Show
from workers.local.crew.readiness import until_ready


class Crew:
    """Workers that run side by side.

    Args:
        duties: what each is to run.
        show: takes each line of their output.
        remark: takes what is to be said about them.
        stop_deadline_s: how long stopping may take before they are killed.
    """

    def __init__(self, duties: Sequence[Duty], show: Show, remark: Show, *, stop_deadline_s: float) -> None:
        self.group = ProcessGroup()
        self.members = [Member(duty, self.group, show, remark) for duty in duties]
        self._stop_deadline_s = stop_deadline_s
        self._stopping = asyncio.Event()
        self._later: Collection[str] = ()
        self._all_start = asyncio.Event()
        self._tasks: list[asyncio.Task[int]] = []

    def start(self, later: Collection[str] = ()) -> None:
        """Start them all; those of these names only with `start_later`."""
        self._later = later
        self._tasks = [asyncio.create_task(self._run(member)) for member in self.members]

    def start_later(self) -> None:
        """Start those that were held back."""
        self._all_start.set()

    async def ready(self, timeout_s: float | None) -> None:
        """Wait until each that is not held back has answered that it is ready.

        Raises TongdaiError when one is not in time (None: however long it takes), ConfigurationError when
        one cannot run at all.
        """
        ready = asyncio.create_task(self._ready(timeout_s))
        try:
            await asyncio.wait((ready, *self._tasks), return_when=asyncio.FIRST_COMPLETED)
            self._raise_ended()
            await ready
        finally:
            ready.cancel()

    async def failure(self) -> None:
        """Wait until one cannot run at all, which may be never, and raise its ConfigurationError."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._raise_ended()

    async def stop(self, hurried: asyncio.Event) -> None:
        """Stop them all in order; kill who does not stop in time, or everybody when `hurried` is set.

        Raises TongdaiError when one had to be killed in spite of its time, or failed while stopping.
        """
        self._stopping.set()
        self._all_start.set()
        self._send(signal.SIGTERM)
        late = await self._late(hurried)
        self._send(signal.SIGKILL)
        codes = await asyncio.gather(*self._tasks, return_exceptions=True)
        if late and not hurried.is_set():
            raise TongdaiError(f"{', '.join(late)} did not stop within {self._stop_deadline_s:g} s: killed.")
        failed = [
            f"{member.duty.name} with exit code {code}"
            for member, code in zip(self.members, codes, strict=True)
            if isinstance(code, int) and code > 0
        ]
        if failed:
            raise TongdaiError(f"Not all workers stopped in order: {', '.join(failed)}.")

    async def _run(self, member: Member) -> int:
        if self._is_held_back(member):
            await self._all_start.wait()
        return 0 if self._stopping.is_set() else await member.run(self._stopping)

    def _is_held_back(self, member: Member) -> bool:
        return member.duty.name in self._later and not self._all_start.is_set()

    async def _ready(self, timeout_s: float | None) -> None:
        waited_for = [member for member in self.members if not self._is_held_back(member)]
        try:
            async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as group:
                for member in waited_for:
                    group.create_task(until_ready(*member.duty.health))
        except TimeoutError:
            raise TongdaiError(
                f"Not all workers are ready after {timeout_s:g} s: see what they said."
            ) from None

    async def _late(self, hurried: asyncio.Event) -> list[str]:
        """The names of those that still run when the time is over, or somebody is in a hurry."""
        hurry = asyncio.create_task(hurried.wait())
        left = set(self._tasks)
        try:
            async with asyncio.timeout(self._stop_deadline_s):
                while left and not hurry.done():
                    _, pending = await asyncio.wait((*left, hurry), return_when=asyncio.FIRST_COMPLETED)
                    left = {task for task in left if task in pending}
        except TimeoutError:
            pass
        finally:
            hurry.cancel()
        return [
            member.duty.name for member, task in zip(self.members, self._tasks, strict=True) if task in left
        ]

    def _send(self, number: signal.Signals) -> None:
        for member in self.members:
            member.send(number)

    def _raise_ended(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
